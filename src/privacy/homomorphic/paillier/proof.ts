/**
 * That all partial decryptions of a vector were made with the dealt share: Damgard and Jurik 2001, section 4.1, "a zero
 * knowledge proof that log_{c^4}(c_i^2) = log_v(v_i)", which is Shoup 2000, section 2.2 (after Chaum and Pedersen 1992), made
 * non-interactive by hashing.
 *
 * One proof for the whole vector (Bellare, Garay and Rabin 1998, the small exponents test): with weights e_j of 128 bits
 * that follow from everything that is proved, C = (prod c_j^e_j)^4 and D = (prod d_j^e_j)^2 have D = C^(Delta s_i). The squares
 * mod N^2 have order N p' q' with prime factors far above 2^128, so a single wrong d_j^2 survives with a chance of 2^-128.
 * That d_j itself may be off by a root of 1 does no harm: combining squares it.
 */

import { utf8 } from '../../../base/bytes.ts'
import { canonicalBytes } from '../../../base/canonical.ts'
import { sha256 } from '../../../base/hash.ts'
import type { Digest } from '../../../base/ids.ts'
import { keystream } from '../../masking/keystream.ts'
import { bigOf, bytesOf, inverse, type PowerOf, randomBelow } from '../numbers.ts'
import type { RandomBytes } from '../scheme.ts'
import type { PaillierKey } from './parameters.ts'

const CHALLENGE_BITS = 256
/** Statistical distance 2^-128 of the answer from one that knows nothing of the share. */
const HIDING_BITS = 128
const WEIGHT_BYTES = 16

/** What the proof is about and bound to. */
export interface Claim {
  readonly statement: Digest
  readonly index: number
  /** SHA-256 of the vector of sums, and of the partial decryptions of it. */
  readonly sum: Digest
  readonly partial: Digest
}

/** Domain tag, parameters (through their digest N, v and all v_i), and all of the claim. */
function transcript(tag: string, key: PaillierKey, claim: Claim): Uint8Array[] {
  return [utf8(`entente/paillier/${tag}/v1\0`), canonicalBytes({ parameters: key.digest, ...claim })]
}

/** Seed of the weights e_j: known only once all partial decryptions are. */
export function weightSeed(key: PaillierKey, claim: Claim): Uint8Array {
  return sha256(...transcript('weights', key, claim))
}

/** e_j for `count` elements from number `first`. */
export function weights(seed: Uint8Array, first: number, count: number): bigint[] {
  const drawn: bigint[] = []
  const stream = keystream(seed, first * WEIGHT_BYTES)
  for (let i = 0; i < count; i++) drawn.push(bigOf(stream.next(WEIGHT_BYTES)))
  return drawn
}

export function answerBytes({ elementBytes, delta }: PaillierKey): number {
  return elementBytes + Math.ceil((delta.toString(2).length + CHALLENGE_BITS + HIDING_BITS) / 8) + 1
}

export const proofBytes = (key: PaillierKey): number => CHALLENGE_BITS / 8 + answerBytes(key)

interface Commitments {
  readonly c: bigint
  readonly d: bigint
  readonly a: bigint
  readonly b: bigint
}

/** c = H(domain, context, C, D, v, v_i, a, b). */
function challengeOf(key: PaillierKey, claim: Claim, { c, d, a, b }: Commitments): Uint8Array {
  const numbers = [c, d, key.verificationBase, key.verificationKeys[claim.index - 1] ?? 0n, a, b]
  return sha256(...transcript('proof', key, claim), ...numbers.map((number) => bytesOf(number, key.elementBytes)))
}

/**
 * r <- {0 .. 2^(L + 384) - 1}, a = C^r, b = v^r, z = r + challenge Delta s_i, over the integers.
 * @param weighted prod c_j^e_j
 */
export function prove(
  key: PaillierKey,
  claim: Claim,
  weighted: bigint,
  secret: bigint,
  { random, powerOf }: { readonly random: RandomBytes; readonly powerOf: PowerOf },
): Uint8Array {
  const power = powerOf(key.nSquared)
  const exponent = key.delta * secret
  const r = randomBelow(1n << BigInt(8 * (answerBytes(key) - 1)), random)
  const c = weighted ** 4n % key.nSquared
  const commitments = { c, d: power(c, exponent), a: power(c, r), b: power(key.verificationBase, r) }
  const challenge = challengeOf(key, claim, commitments)
  const proof = new Uint8Array(proofBytes(key))
  proof.set(challenge)
  proof.set(bytesOf(r + bigOf(challenge) * exponent, answerBytes(key)), challenge.length)
  return proof
}

/**
 * a = C^z D^-challenge, b = v^z v_i^-challenge, and the challenge is their hash.
 * @param weighted prod c_j^e_j and prod d_j^e_j
 */
export function verifyProof(
  key: PaillierKey,
  claim: Claim,
  weighted: { readonly sums: bigint; readonly partials: bigint },
  proof: Uint8Array,
  powerOf: PowerOf,
): boolean {
  if (proof.length !== proofBytes(key)) return false
  const power = powerOf(key.nSquared)
  const given = proof.subarray(0, CHALLENGE_BITS / 8)
  const [challenge, z] = [bigOf(given), bigOf(proof.subarray(given.length))]
  const c = weighted.sums ** 4n % key.nSquared
  const d = weighted.partials ** 2n % key.nSquared
  const quotient = (base: bigint, image: bigint): bigint | undefined => {
    const inverted = inverse(power(image, challenge), key.nSquared)
    return inverted === undefined ? undefined : (power(base, z) * inverted) % key.nSquared
  }
  const a = quotient(c, d)
  const b = quotient(key.verificationBase, key.verificationKeys[claim.index - 1] ?? 0n)
  if (a === undefined || b === undefined) return false
  const expected = challengeOf(key, claim, { c, d, a, b })
  return expected.every((byte, i) => byte === given[i])
}
