/**
 * One robust rule of ours: `node robust-own.ts RULE FILE N D F THREADS memory|file`. The vectors of the file are read
 * before, as the peers read them, or block by block, as the hub reads updates. For each line that comes in it runs once and
 * answers with JSON, as robust_rules.py does.
 */

import { open } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { aggregate } from '../../src/learning/aggregate.ts'
import { strategyConfigSchema } from '../../src/learning/config.ts'
import { robustConfigSchema } from '../../src/learning/robust/config.ts'
import { openTensors, type TensorReader } from '../../src/learning/tensor-reader.ts'
import { encodeHeader } from '../../src/models/formats/safetensors.ts'
import { startKernelThreads } from '../../src/node/kernel-threads.ts'
import { loadKernels } from '../../src/node/kernels.ts'
import { takeTime } from '../secagg/timing.ts'

const [, , rule, path = '', ...sizes] = process.argv
const [n = 0, d = 0, f = 0, threads = 1] = sizes.map(Number)
const SHOWN = 4096

const file = await open(path, 'r')
const header = encodeHeader([{ name: 'w', shape: [d] }], { format: 'bench' })
const kernels = threads > 1 ? startKernelThreads(threads).kernels : loadKernels()
const vectors = sizes[4] === 'memory' ? await readVectors() : undefined
const robust = robustConfigSchema.parse({ rule, f })

async function readVectors(): Promise<Uint8Array> {
  const bytes = new Uint8Array(4 * n * d)
  for (let at = 0; at < bytes.length; )
    at += (await file.read(bytes, at, Math.min(1 << 26, bytes.length - at), at)).bytesRead
  return bytes
}

/** Row `i` of the file, behind a header that only this process has. */
async function rowReader(i: number): Promise<TensorReader> {
  return openTensors({
    size: header.length + 4 * d,
    async read(offset, into) {
      if (offset < header.length) into.set(header.subarray(offset, offset + into.length))
      else {
        const at = 4 * d * i + offset - header.length
        if (vectors === undefined) await file.read(into, 0, into.length, at)
        else into.set(vectors.subarray(at, at + into.length))
      }
    },
  })
}

const zeros = await openTensors({
  size: header.length + 4 * d,
  async read(offset, into) {
    if (offset < header.length) into.set(header.subarray(offset, offset + into.length))
    else into.fill(0)
  },
})
const readers = await Promise.all(Array.from({ length: n }, (_, i) => rowReader(i)))
const shown = new Uint8Array(4 * SHOWN)

async function once(): Promise<void> {
  let at = -header.length
  await aggregate({
    base: zeros,
    previous: null,
    state: null,
    updates: readers.map((reader, i) => ({ organisation: String(i).padStart(3, '0'), sampleCount: 1, reader })),
    strategy: strategyConfigSchema.parse({ name: 'fedavg' }),
    robust,
    sampleCountMax: 1,
    version: 'bench',
    kernels,
    async writeModel(bytes) {
      if (at >= 0 && at < shown.length) shown.set(bytes.subarray(0, shown.length - at), at)
      at += at < 0 ? header.length : bytes.length
    },
    writeState: async () => undefined,
  })
}

process.stdout.write(`${JSON.stringify({ ready: true })}\n`)
for await (const _ of createInterface({ input: process.stdin })) {
  const taken = await takeTime(once)
  const peakMiB = process.resourceUsage().maxRSS / 1024
  process.stdout.write(`${JSON.stringify({ ...taken, peakMiB, shown: Buffer.from(shown).toString('base64') })}\n`)
}
await file.close()
// Threads of the kernels wait for ever.
process.exit()
