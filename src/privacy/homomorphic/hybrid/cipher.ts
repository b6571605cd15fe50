/**
 * A cipher that adds keys as it adds messages, on ring learning with errors: c = a k + t e + m mod q for each block of 2048
 * coordinates. The sum of ciphertexts is one under the sum of keys, so whoever learns only that sum of keys reads only the
 * sum of messages: "key-additive homomorphic encryption" of Bell-Clark, Gascon, Li, Raykova and Schoppmann 2024, "Willow:
 * Secure Aggregation with One-Shot Clients". The plaintext is in the low part, as in Brakerski, Gentry and Vaikuntanathan 2012.
 *
 * A sum of keys that is opened tells of each key, and so does the sum of errors that follows from it (Kim, Lee, Seo and Song
 * 2023 call that learning with hints). With coordinates x and y from the discrete Gaussian of variance 41, x given x + y is
 * one of variance 41 / 2 around (x + y) / 2, since the weights multiply to e^(-(x - (x + y) / 2)^2 / 41) and a constant; with more
 * honest organisations than two it is wider. So what is left to guess has a deviation of 4.5, where tables of security
 * (modulus.ts) take errors of 3.2 and keys of three values.
 */

import { createNoiseTable, type NoiseTable } from '../../dp/table.ts'
import { seededBytes } from '../../masking/keystream.ts'
import type { ValueBounds } from '../scheme.ts'
import { readCoefficient, viewOf, writeCoefficient } from './coefficients.ts'
import { keyedBlocks, type Masking } from './masks.ts'
import { DEGREE, type Primes, powerMod, primesFor } from './modulus.ts'
import { createTransform } from './transform.ts'

export const NOISE_VARIANCE = 41

let table: NoiseTable | undefined
const noise = (): NoiseTable => (table ??= createNoiseTable({ numerator: BigInt(NOISE_VARIANCE), denominator: 1n }))
/** The largest coordinate of a key or an error, by construction and not by chance. */
export const noiseMax = (): number => noise().magnitudeMax

export interface Ring extends ValueBounds, Masking {
  /** p1 p2. */
  readonly q: number
  /** Of a coefficient. */
  readonly bytes: number
  /** t: sums of messages are read modulo it. */
  readonly plainModulus: number
}

/** The primes for these bounds: the largest |t e + m| of a sum stays below q / 2. @throws invalid-request */
export function ringPrimes({ levels, contributionsMax }: ValueBounds): Primes {
  const sum = levels * contributionsMax
  return primesFor(2 * ((2 * sum + 1) * noiseMax() * contributionsMax + sum) + 1)
}

export function createRing({ levels, contributionsMax }: ValueBounds): Ring {
  const primes = ringPrimes({ levels, contributionsMax })
  const q = primes[0] * primes[1]
  return {
    levels,
    contributionsMax,
    primes,
    q,
    bytes: Math.ceil(Math.log2(q) / 8),
    plainModulus: 2 * levels * contributionsMax + 1,
    transforms: [createTransform(DEGREE, primes[0]), createTransform(DEGREE, primes[1])],
    lift: powerMod(primes[0], primes[1] - 2, primes[1]),
  }
}

/** A key, out of 32 bytes that are used for nothing else. */
export function drawKey(seed: Uint8Array): Int32Array {
  const key = new Int32Array(DEGREE)
  noise().draw(key, seededBytes(seed, 'ring-key'))
  return key
}

/** What a cipher works with beside its ring: the parameters' digest, from which the public polynomials follow. */
export interface Covering {
  readonly key: Int32Array
  readonly domain: Uint8Array
  /** Number of the first block. */
  readonly first: number
}

/** c = a k + t e + m mod q; the last block may be short. @param seed of the errors, 32 bytes, used once */
export function cover(ring: Ring, values: Int32Array, { key, domain, first }: Covering, seed: Uint8Array): Uint8Array {
  const { q, bytes, plainModulus } = ring
  const cipher = new Uint8Array(values.length * bytes)
  const view = viewOf(cipher)
  const errors = new Int32Array(DEGREE)
  const product = keyedBlocks(ring, key, domain)
  for (let at = 0; at < values.length; at += DEGREE) {
    const block = first + at / DEGREE
    const masks = product(block)
    noise().draw(errors, seededBytes(seed, `ring-errors-${block}`))
    const size = Math.min(DEGREE, values.length - at)
    for (let i = 0; i < size; i++) {
      const value = (masks[i] as number) + plainModulus * (errors[i] as number) + (values[at + i] as number)
      writeCoefficient(view, (at + i) * bytes, bytes, value < 0 ? value + q : value >= q ? value - q : value)
    }
  }
  errors.fill(0)
  return cipher
}

/**
 * The sums under a sum of keys; undefined if what is left is more than so many honest messages and errors add up to.
 * @param cipher coefficients below q
 */
export function uncover(
  ring: Ring,
  cipher: Uint8Array,
  { key, domain, first }: Covering,
  contributions: number,
): Int32Array | undefined {
  const { q, bytes, plainModulus, levels } = ring
  const sums = new Int32Array(cipher.length / bytes)
  const view = viewOf(cipher)
  const [sumMax, errorMax] = [levels * contributions, noiseMax() * contributions]
  const product = keyedBlocks(ring, key, domain)
  for (let at = 0; at < sums.length; at += DEGREE) {
    const masks = product(first + at / DEGREE)
    const size = Math.min(DEGREE, sums.length - at)
    for (let i = 0; i < size; i++) {
      const apart = readCoefficient(view, (at + i) * bytes, bytes) - (masks[i] as number)
      const rest = apart < 0 ? apart + q : apart
      const centred = rest > q / 2 ? rest - q : rest
      const error = Math.round(centred / plainModulus)
      const sum = centred - error * plainModulus
      if (Math.abs(sum) > sumMax || Math.abs(error) > errorMax) return undefined
      sums[at + i] = sum
    }
  }
  return sums
}
