/**
 * That whoever contributes a vector knows what is in it. Without that, a hub in league with one organisation could have the
 * contributions of all others but one taken out of the sum, by a contribution made of their ciphertexts: encryptions that can
 * be added can be subtracted. With it, what such a pair adds to the sum is something that it knows, and tells it nothing.
 *
 * Schnorr 1991 in the form of Damgard and Jurik 2001, section 4 ("knowledge of a plaintext"), for all ciphertexts at once by a
 * random combination (Bellare, Garay and Rabin 1998): with weights e_j of 128 bits that follow from the ciphertexts and from what
 * they are for, C = prod c_j^e_j encrypts M = sum e_j m_j. Two answers to one commitment give M = (z - z') / (e' - e) mod N, and as
 * many independent weightings as there are ciphertexts give every m_j. Challenges are shorter than the factors of N, so their
 * differences can be inverted; the commitment's h^y hides e R but for a statistical distance of 2^-128.
 */

import { concatBytes, utf8 } from '../../../base/bytes.ts'
import { canonicalBytes } from '../../../base/canonical.ts'
import { sha256, sha256Hex } from '../../../base/hash.ts'
import type { Digest } from '../../../base/ids.ts'
import { seededBytes } from '../../masking/keystream.ts'
import { bigOf, bytesOf, randomBelow } from '../numbers.ts'
import { pack } from '../packing.ts'
import type { PaillierKey } from './parameters.ts'
import { answerBytes, CHALLENGE_BYTES, knowledgeBytes, modulusBytes } from './knowledge-size.ts'
import { weights } from './proof.ts'
import { exponentOf } from './randomiser.ts'
import { type Means, weigh } from './vectors.ts'

export interface Contributed {
  /** The ciphertexts. */
  readonly elements: Uint8Array
  /** Who contributes, to what. */
  readonly statement: Digest
}

function transcript(tag: string, key: PaillierKey, { elements, statement }: Contributed): Uint8Array[] {
  const about = { parameters: key.digest, statement, vector: sha256Hex(elements) }
  return [utf8(`entente/paillier/knowledge-${tag}/v1\0`), canonicalBytes(about)]
}

const weightSeed = (key: PaillierKey, about: Contributed): Uint8Array => sha256(...transcript('weights', key, about))

function challengeOf(key: PaillierKey, about: Contributed, combined: bigint, commitment: bigint): Uint8Array {
  const numbers = [combined, commitment].map((number) => bytesOf(number, key.elementBytes))
  return sha256(...transcript('proof', key, about), ...numbers).subarray(0, CHALLENGE_BYTES)
}

/** @param seed that the vector was encrypted with */
export async function proveKnowledge(
  key: PaillierKey,
  means: Means,
  about: Contributed,
  { values, seed }: { readonly values: Int32Array; readonly seed: Uint8Array },
): Promise<Uint8Array> {
  const { n, nSquared, base } = key
  const drawn = weightSeed(key, about)
  const combined = await weigh(key, means, about.elements, drawn)
  const { message, exponent } = combination(key, values, seed, drawn)
  const power = means.powerOf(nSquared)
  // Another commitment for anything else that one seed should ever be used for: two answers to one give the secret away.
  const random = seededBytes(sha256(seed, drawn), 'knowledge')
  for (;;) {
    const [x, y] = [randomBelow(n, random), bigOf(random(answerBytes(key)))]
    const challenge = challengeOf(key, about, combined, ((1n + x * n) * power(base, y)) % nSquared)
    const e = bigOf(challenge)
    const [z, w] = [(((x - e * message) % n) + n) % n, y - e * exponent]
    // Less than once in 2^128.
    if (w < 0n) continue
    return concatBytes(challenge, bytesOf(z, modulusBytes(key)), bytesOf(w, answerBytes(key)))
  }
}

/** M = sum e_j m_j mod N and R = sum e_j r_j. */
function combination(
  { n, packing, source }: PaillierKey,
  values: Int32Array,
  seed: Uint8Array,
  drawn: Uint8Array,
): { message: bigint; exponent: bigint } {
  const { perPlaintext } = packing
  const factors = weights(drawn, 0, Math.ceil(values.length / perPlaintext))
  let [message, exponent] = [0n, 0n]
  factors.forEach((factor, j) => {
    message += factor * pack(values.subarray(j * perPlaintext, (j + 1) * perPlaintext), packing)
    exponent += factor * exponentOf(seed, j, source.exponentBits)
  })
  return { message: message % n, exponent }
}

/** a = (1 + N)^z h^w C^e, and the challenge is its hash. @throws input-invalid for elements that are none */
export async function verifyKnowledge(
  key: PaillierKey,
  means: Means,
  about: Contributed,
  proof: Uint8Array,
): Promise<boolean> {
  if (proof.length !== knowledgeBytes(key)) return false
  const { n, nSquared, base } = key
  const given = proof.subarray(0, CHALLENGE_BYTES)
  const z = bigOf(proof.subarray(CHALLENGE_BYTES, CHALLENGE_BYTES + modulusBytes(key)))
  const w = bigOf(proof.subarray(CHALLENGE_BYTES + modulusBytes(key)))
  const combined = await weigh(key, means, about.elements, weightSeed(key, about))
  const power = means.powerOf(nSquared)
  const random = (power(base, w) * power(combined, bigOf(given))) % nSquared
  const expected = challengeOf(key, about, combined, ((1n + z * n) * random) % nSquared)
  return expected.every((byte, i) => byte === given[i])
}
