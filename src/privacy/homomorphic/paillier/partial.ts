/** Partial decryptions with their proof: Damgard and Jurik 2001, section 4.1, "Share decryption". */

import { concatBytes } from '../../../base/bytes.ts'
import { EntenteError } from '../../../base/errors.ts'
import { sha256, sha256Hex } from '../../../base/hash.ts'
import type { Digest } from '../../../base/ids.ts'
import { seededBytes } from '../../masking/keystream.ts'
import { type Container, decodeContainer, encodeContainer, malformed } from '../container.ts'
import { type PaillierKey, readShare } from './parameters.ts'
import { type Claim, proofBytes, prove, verifyProof, weightSeed } from './proof.ts'
import { type Means, readVector, spread, weigh } from './vectors.ts'

interface Giving {
  readonly sum: Uint8Array
  readonly share: unknown
  readonly statement: Digest
  readonly seed: Uint8Array
}

/** d = c^(2 Delta s_i) for each ciphertext, and one proof for all of them. */
export async function givePartial(key: PaillierKey, means: Means, giving: Giving): Promise<Uint8Array> {
  const { sum, share, statement, seed } = giving
  const { length, payload } = readVector(key, sum)
  const { secret, index } = readShare(share, key)
  const exponent = 2n * key.delta * secret
  const partials = await spread(key, means, payload, (vector) => ({ type: 'power', vector, exponent }))
  const claim = claimOf(sum, partials, index, statement)
  const drawn = weightSeed(key, claim)
  const weighted = await weigh(key, means, payload, drawn)
  // Another commitment for any other claim: two answers to one would give the share away.
  const random = seededBytes(sha256(seed, drawn), 'partial-decryption')
  const proof = prove(key, claim, weighted, secret, { random, powerOf: means.powerOf })
  return encodeContainer({
    kind: 'partial',
    parameters: key.digest,
    length,
    number: index,
    payload: concatBytes(partials, proof),
  })
}

function claimOf(sum: Uint8Array, partials: Uint8Array, index: number, statement: Digest): Claim {
  return { statement, index, sum: sha256Hex(sum), partial: sha256Hex(partials) }
}

export interface Received {
  readonly sum: Uint8Array
  readonly vector: Container
  readonly bytes: Uint8Array
  /** Of who sent it, from 1. */
  readonly index: number
  readonly statement: Digest
}

/** The partial decryptions, if their proof convinces; undefined whatever else an attacker may have sent. */
export async function checkPartial(key: PaillierKey, means: Means, one: Received): Promise<Uint8Array | undefined> {
  try {
    const { vector, index } = one
    const { length, number, payload } = decodeContainer(one.bytes, 'partial', key.digest)
    const size = vector.payload.length
    if (length !== vector.length || number !== index || payload.length !== size + proofBytes(key))
      malformed('wrong-length', 'this partial decryption is of something else')
    const partials = payload.subarray(0, size)
    const claim = claimOf(one.sum, partials, index, one.statement)
    const seed = weightSeed(key, claim)
    const [sums, weighed] = [await weigh(key, means, vector.payload, seed), await weigh(key, means, partials, seed)]
    const proved = verifyProof(key, claim, { sums, partials: weighed }, payload.subarray(size), means.powerOf)
    return proved ? partials : undefined
  } catch (error) {
    if (error instanceof EntenteError && error.code === 'input-invalid') return undefined
    throw error
  }
}
