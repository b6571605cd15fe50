/** What tests of noise share: bytes under a seed, distributions by other means than those under test, and goodness of fit. */

import { prng } from '../../base/prng.ts'
import type { RandomBytes } from './bits.ts'
import { erfc } from './special.ts'

/** Reproducible bytes: each test has its own seed, so that a statistic that passes once passes always. */
export function seeded(label: string): RandomBytes {
  const random = prng(label)
  return (length) => {
    const words = new Uint32Array(Math.ceil(length / 4)).map(() => random.u32())
    return new Uint8Array(words.buffer).subarray(0, length)
  }
}

/** Probabilities of the discrete Gaussian from -reach to reach, by plain summation. */
export function gaussianProbabilities(variance: number, reach: number): number[] {
  const weights = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * variance)))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  return weights.map((weight) => weight / total)
}

/**
 * Probabilities of the Skellam distribution from -reach to reach, from the integral of its characteristic function
 * e^(v (cos t - 1)) over a period, by the trapezoidal rule, which is exact to rounding once the points resolve the reach.
 */
export function skellamProbabilities(variance: number, reach: number): number[] {
  const points = 4 * reach + 64
  const transform = Array.from({ length: points }, (_, j) =>
    Math.exp(variance * (Math.cos((2 * Math.PI * j) / points) - 1)),
  )
  const cosines = Array.from({ length: points }, (_, j) => Math.cos((2 * Math.PI * j) / points))
  const half = Array.from({ length: reach + 1 }, (_, k) => {
    let sum = 0
    for (let j = 0; j < points; j++) sum += (transform[j] ?? 0) * (cosines[(j * k) % points] ?? 0)
    return Math.max(0, sum / points)
  })
  return Array.from({ length: 2 * reach + 1 }, (_, i) => half[Math.abs(i - reach)] ?? 0)
}

/** Upper tail of chi-square by Wilson and Hilferty's cube root, good to a few per cent: enough to tell 1e-4 from 0.5. */
export function chiSquareTail(statistic: number, degrees: number): number {
  const z = ((statistic / degrees) ** (1 / 3) - (1 - 2 / (9 * degrees))) / Math.sqrt(2 / (9 * degrees))
  return erfc(z / Math.SQRT2) / 2
}

/** p-value that the draws come from these probabilities; cells that expect fewer than 10 are merged with neighbours. */
export function chiSquare(draws: ArrayLike<number>, probabilities: readonly number[], reach: number): number {
  const counts = new Float64Array(probabilities.length)
  for (let i = 0; i < draws.length; i++) {
    const cell = Math.max(0, Math.min(2 * reach, (draws[i] ?? 0) + reach))
    counts[cell] = (counts[cell] ?? 0) + 1
  }
  let [statistic, degrees, seen, expected] = [0, -1, 0, 0]
  for (const [cell, probability] of probabilities.entries()) {
    seen += counts[cell] ?? 0
    expected += probability * draws.length
    if (expected < 10) continue
    statistic += (seen - expected) ** 2 / expected
    degrees++
    seen = 0
    expected = 0
  }
  return chiSquareTail(statistic, degrees)
}

/** Kolmogorov-Smirnov p-value (asymptotic series); conservative for a discrete distribution. */
export function kolmogorovSmirnov(draws: ArrayLike<number>, probabilities: readonly number[], reach: number): number {
  const counts = new Float64Array(probabilities.length)
  for (let i = 0; i < draws.length; i++) counts[(draws[i] ?? 0) + reach] = (counts[(draws[i] ?? 0) + reach] ?? 0) + 1
  let [own, theirs, largest] = [0, 0, 0]
  for (const [cell, probability] of probabilities.entries()) {
    own += (counts[cell] ?? 0) / draws.length
    theirs += probability
    largest = Math.max(largest, Math.abs(own - theirs))
  }
  const x = largest * (Math.sqrt(draws.length) + 0.12 + 0.11 / Math.sqrt(draws.length))
  let p = 0
  for (let k = 1; k < 100; k++) p += 2 * (-1) ** (k - 1) * Math.exp(-2 * k * k * x * x)
  return x < 0.2 ? 1 : Math.max(0, Math.min(1, p))
}
