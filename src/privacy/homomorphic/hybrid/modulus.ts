/**
 * The modulus of the ring Z_q[X] / (X^2048 + 1): a product of two primes that are 1 mod 4096, so that polynomials multiply by
 * number-theoretic transforms, and below 2^26, so that products of residues are exact in float64.
 */

import { fail } from '../../../base/errors.ts'

export const DEGREE = 2048
/**
 * Albrecht and others 2018, "Homomorphic Encryption Security Standard", table 1: 128 bits at degree 2048 allow 54 bits; up to
 * 37 bits, which is enough for 64 organisations, they are 192.
 */
const MODULUS_MAX = 2 ** 52
const PRIME_MAX = 2 ** 26

export type Primes = readonly [number, number]

/** The smallest two primes from the root of `bound` upwards: their product is at least `bound`. @throws invalid-request */
export function primesFor(bound: number): Primes {
  const first = nextPrime(Math.ceil(Math.sqrt(bound)))
  const second = nextPrime(first + 1)
  if (second >= PRIME_MAX || first * second > MODULUS_MAX)
    fail('invalid-request', 'sums of so many levels and contributions do not fit under the largest modulus')
  return [first, second]
}

/** The smallest prime from `least` upwards that is 1 mod twice the degree. */
function nextPrime(least: number): number {
  const step = 2 * DEGREE
  let candidate = 1 + step * Math.max(1, Math.ceil((least - 1) / step))
  while (!isPrime(candidate)) candidate += step
  return candidate
}

function isPrime(odd: number): boolean {
  for (let divisor = 3; divisor * divisor <= odd; divisor += 2) if (odd % divisor === 0) return false
  return true
}

/** base^exponent mod p, for p below 2^26. */
export function powerMod(base: number, exponent: number, p: number): number {
  let result = 1
  let square = base % p
  for (let rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = (result * square) % p
    square = (square * square) % p
  }
  return result
}

/** The value in [0, p) of x below 2^53; `reciprocal` = 1 / p, which may be off in its last bit. */
export function reduce(x: number, p: number, reciprocal: number): number {
  const rest = x - Math.floor(x * reciprocal) * p
  return rest < 0 ? rest + p : rest >= p ? rest - p : rest
}
