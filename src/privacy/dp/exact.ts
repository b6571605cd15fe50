/**
 * The discrete Gaussian, exactly: Canonne, Kamath and Steinke 2020, "The Discrete Gaussian for Differential Privacy",
 * Algorithms 1 to 3. Integers only: a floating-point Gaussian on a released value leaks by its lowest bits (Mironov 2012).
 * Slow, and with a running time that depends on the outcome; it is the reference for table.ts.
 */

import { fail } from '../../base/errors.ts'
import type { UniformSource } from './bits.ts'

/** numerator / denominator, both positive. */
export interface Rational {
  readonly numerator: bigint
  readonly denominator: bigint
}

/** @throws invalid-request */
export function requirePositive({ numerator, denominator }: Rational): void {
  if (numerator <= 0n || denominator <= 0n) fail('invalid-request', 'a variance is positive')
}

/** True with probability numerator / denominator, at most 1. */
function bernoulli(source: UniformSource, numerator: bigint, denominator: bigint): boolean {
  return source.below(denominator) < numerator
}

/** Algorithm 1: true with probability e^-(numerator / denominator), for any ratio of at least 0. */
export function bernoulliExp(source: UniformSource, numerator: bigint, denominator: bigint): boolean {
  let rest = numerator
  for (; rest > denominator; rest -= denominator) if (!bernoulliExpUpToOne(source, 1n, 1n)) return false
  return bernoulliExpUpToOne(source, rest, denominator)
}

function bernoulliExpUpToOne(source: UniformSource, numerator: bigint, denominator: bigint): boolean {
  let k = 1n
  while (bernoulli(source, numerator, denominator * k)) k++
  return k % 2n === 1n
}

/** Algorithm 2: P(z) proportional to e^-(|z| / scale), for a whole scale. */
export function discreteLaplace(source: UniformSource, scale: bigint): bigint {
  for (;;) {
    const offset = source.below(scale)
    if (!bernoulliExp(source, offset, scale)) continue
    let turns = 0n
    while (bernoulliExp(source, 1n, 1n)) turns++
    const magnitude = offset + scale * turns
    const negative = source.below(2n) === 1n
    // Zero has one sign, or it would come twice as often.
    if (negative && magnitude === 0n) continue
    return negative ? -magnitude : magnitude
  }
}

/** Algorithm 3: P(z) proportional to e^-(z^2 / (2 variance)). @throws invalid-request */
export function discreteGaussian(source: UniformSource, variance: Rational): bigint {
  requirePositive(variance)
  const { numerator: n, denominator: d } = variance
  const scale = floorRoot(n / d) + 1n
  for (;;) {
    const drawn = discreteLaplace(source, scale)
    const magnitude = drawn < 0n ? -drawn : drawn
    // (|y| - variance / scale)^2 / (2 variance) with variance = n / d.
    const difference = magnitude * d * scale - n
    if (bernoulliExp(source, difference * difference, 2n * n * d * scale * scale)) return drawn
  }
}

/** Largest integer whose square is at most n (Newton). */
export function floorRoot(n: bigint): bigint {
  if (n < 2n) return n
  let root = 1n << BigInt(Math.ceil(n.toString(2).length / 2))
  for (;;) {
    const next = (root + n / root) / 2n
    if (next >= root) return root
    root = next
  }
}
