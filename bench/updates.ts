/** Updates on disk to aggregate: blobs as the hub has them, with values that differ from one to the next. */

import type { Digest } from '../src/base/ids.ts'
import { prng } from '../src/base/prng.ts'
import { encodeHeader } from '../src/models/formats/safetensors.ts'
import type { Blobs } from '../src/node/ports.ts'

const BLOCK_ELEMENTS = 1 << 20

export interface Files {
  readonly base: Digest
  readonly updates: readonly Digest[]
  /** Size of one file. */
  readonly bytes: number
}

/** A model of `parameters` float32 values in one tensor, and `count` updates of it. */
export async function writeFiles(blobs: Blobs, count: number, parameters: number, seed: string): Promise<Files> {
  const block = randomBlock(seed)
  const base = await writeFile(blobs, parameters, block, { format: 'entente-model-1' })
  const updates: Digest[] = []
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < block.length; j += 997) block[j] = (block[j] ?? 0) * -0.5 + i / 1000
    const { digest } = await writeFile(blobs, parameters, block, {
      format: 'entente-update-1',
      base_model: base.digest,
    })
    updates.push(digest)
  }
  return { base: base.digest, updates, bytes: base.size }
}

function randomBlock(seed: string): Float32Array {
  const random = prng(`bench/updates/${seed}`)
  return Float32Array.from({ length: BLOCK_ELEMENTS }, () => random.uniform() - 0.5)
}

async function writeFile(
  blobs: Blobs,
  parameters: number,
  block: Float32Array,
  metadata: Record<string, string>,
): Promise<{ digest: Digest; size: number }> {
  const writer = await blobs.create()
  await writer.write(encodeHeader([{ name: 'weights', shape: [parameters] }], metadata))
  for (let written = 0; written < parameters; written += block.length) {
    const count = Math.min(block.length, parameters - written)
    await writer.write(new Uint8Array(block.buffer, 0, 4 * count))
  }
  return writer.commit()
}
