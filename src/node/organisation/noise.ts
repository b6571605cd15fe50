/**
 * The noise of one round at an organisation. Its seed is drawn once and stored before use, so that a node that dies and
 * repeats its work sends the same contribution: two answers with different noise would each take from the budget. It is
 * encrypted at rest and removed when the contribution is delivered: whoever finds it later could take the noise away.
 */

import { createCipheriv, createDecipheriv, hkdfSync } from 'node:crypto'
import { fromBase64Url, toBase64Url, utf8 } from '../../base/bytes.ts'
import { fail } from '../../base/errors.ts'
import type { RoundId } from '../../base/ids.ts'
import type { NoiseTable } from '../../privacy/dp/table.ts'
import type { OrganisationContext } from './identity.ts'

const NONCE_BYTES = 12
const TAG_BYTES = 16

interface StoredSeed {
  /** Nonce, ciphertext and tag; null once it is no longer needed. */
  readonly sealed: string | null
}

const streamOf = (round: RoundId): string => `noise-seed/${round}`

/**
 * The seed of a round, drawn at the first call and the same at every other, also in another process. The stream's lock
 * decides who draws. @throws round-closed if the seed was forgotten
 */
export async function noiseSeed({ ports, identity }: OrganisationContext, round: RoundId): Promise<Uint8Array> {
  const key = sealingKey(identity.secret, round)
  const fresh: StoredSeed = { sealed: seal(key, ports.random.bytes(NONCE_BYTES), ports.random.bytes(32)) }
  const { sealed } = await ports.store.transact(async (transaction): Promise<StoredSeed> => {
    const held = await transaction.lockStream(streamOf(round))
    if (held !== undefined) return held.state as StoredSeed
    // The event log keeps everything for ever, so the seed is in the state only, which is overwritten.
    await transaction.append(streamOf(round), { seq: 0, id: 'drawn', event: {} }, fresh)
    return fresh
  })
  if (sealed === null) fail('round-closed', `the noise of round ${round} was used and removed`)
  return unseal(key, sealed)
}

/** Removes the seed of a round, if there is one. */
export async function forgetNoise({ ports }: OrganisationContext, round: RoundId): Promise<void> {
  await ports.store.transact(async (transaction) => {
    const held = await transaction.lockStream(streamOf(round))
    if (held === undefined || (held.state as StoredSeed).sealed === null) return
    const forgotten: StoredSeed = { sealed: null }
    await transaction.append(streamOf(round), { seq: held.seq, id: 'forgotten', event: {} }, forgotten)
  })
}

function sealingKey(secret: Uint8Array, round: RoundId): Uint8Array {
  return new Uint8Array(hkdfSync('sha256', secret, utf8('entente/v1/noise-seed'), utf8(round), 32))
}

function seal(key: Uint8Array, nonce: Uint8Array, seed: Uint8Array): string {
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  const sealed = Buffer.concat([nonce, cipher.update(seed), cipher.final(), cipher.getAuthTag()])
  seed.fill(0)
  return toBase64Url(sealed)
}

function unseal(key: Uint8Array, sealed: string): Uint8Array {
  const bytes = fromBase64Url(sealed) ?? fail('internal', 'the stored seed of the noise is malformed')
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, NONCE_BYTES))
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES))
  const seed = decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES))
  decipher.final()
  return new Uint8Array(seed)
}

/** Fills from the table with the key stream of AES-256-CTR under the seed; the seed is good for one call. */
export function drawWith(table: NoiseTable, seed: Uint8Array): (out: Int32Array) => void {
  return (out) => {
    const stream = createCipheriv('aes-256-ctr', seed, new Uint8Array(16))
    table.draw(out, (length) => stream.update(new Uint8Array(length)))
    seed.fill(0)
  }
}
