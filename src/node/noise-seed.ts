/**
 * The noise that a node adds in one round, to its own update or, as a hub, to the sum of all. Its seed is drawn once and
 * stored before use, so that a node that dies and repeats its work sends the same numbers: two answers with different noise
 * would each take from the budget. It is encrypted at rest and removed when they are delivered: whoever finds it later could
 * take the noise away.
 */

import { createCipheriv } from 'node:crypto'
import { fromBase64Url, toBase64Url } from '../base/bytes.ts'
import { fail } from '../base/errors.ts'
import type { RoundId } from '../base/ids.ts'
import type { SecretKey } from '../base/signature.ts'
import type { RandomBytes } from '../privacy/dp/bits.ts'
import type { NoiseTable } from '../privacy/dp/table.ts'
import type { Ports } from './ports.ts'
import { createSealer } from './sealer.ts'

const SEED_BYTES = 32

/** Whose noise it is: the seed is sealed under the node's own key. */
export interface NoiseOwner {
  readonly ports: Pick<Ports, 'store' | 'random'>
  readonly identity: { readonly secret: SecretKey }
}

interface StoredSeed {
  /** Under the round's id; null once it is no longer needed. */
  readonly sealed: string | null
}

const streamOf = (round: RoundId): string => `noise-seed/${round}`

/**
 * The seed of a round, drawn at the first call and the same at every other, also in another process. The stream's lock
 * decides who draws. @throws round-closed if the seed was forgotten
 */
export async function noiseSeed({ ports, identity }: NoiseOwner, round: RoundId): Promise<Uint8Array> {
  const sealer = createSealer(identity.secret, 'noise-seed')
  const fresh: StoredSeed = { sealed: sealer.seal(round, toBase64Url(ports.random.bytes(SEED_BYTES))) }
  const { sealed } = await ports.store.transact(async (transaction): Promise<StoredSeed> => {
    const held = await transaction.lockStream(streamOf(round))
    if (held !== undefined) return held.state as StoredSeed
    // The event log keeps everything for ever, so the seed is in the state only, which is overwritten.
    await transaction.append(streamOf(round), { seq: 0, id: 'drawn', event: {} }, fresh)
    return fresh
  })
  if (sealed === null) fail('round-closed', `the noise of round ${round} was used and removed`)
  return (
    fromBase64Url(String(sealer.open(round, sealed))) ?? fail('internal', 'the stored seed of the noise is malformed')
  )
}

/** Removes the seed of a round, if there is one. */
export async function forgetNoise({ ports }: NoiseOwner, round: RoundId): Promise<void> {
  await ports.store.transact(async (transaction) => {
    const held = await transaction.lockStream(streamOf(round))
    if (held === undefined || (held.state as StoredSeed).sealed === null) return
    const forgotten: StoredSeed = { sealed: null }
    await transaction.append(streamOf(round), { seq: held.seq, id: 'forgotten', event: {} }, forgotten)
  })
}

/** Fills from the table with the key stream of the seed, which is good for one call. */
export function drawWith(table: NoiseTable, seed: Uint8Array): (out: Int32Array) => void {
  return (out) => table.draw(out, streamOfSeed(seed))
}

/** The key stream of AES-256-CTR under a seed, which is overwritten. */
export function streamOfSeed(seed: Uint8Array): RandomBytes {
  const stream = createCipheriv('aes-256-ctr', seed, new Uint8Array(16))
  seed.fill(0)
  return (length) => stream.update(new Uint8Array(length))
}
