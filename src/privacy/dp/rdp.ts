/**
 * Renyi differential privacy of Gaussian mechanisms, and what it says in terms of (epsilon, delta). The order alpha is
 * above 1; a curve is the list of RDP values at a list of orders, and curves of mechanisms that use the same data add up
 * (Mironov 2017, Proposition 1), whatever was chosen in view of earlier results, as long as the list of orders is fixed.
 */

import { fail } from '../../base/errors.ts'
import { logAdd, logErfc, logSubtract } from './special.ts'

/** Steps of 0.1 to 10.9 (low orders matter where epsilon is large), whole numbers to 64, and powers of two for tiny epsilon. */
export const RDP_ORDERS: readonly number[] = [
  ...Array.from({ length: 99 }, (_, i) => 1 + (i + 1) / 10),
  ...Array.from({ length: 54 }, (_, i) => 11 + i),
  128,
  256,
  512,
  1024,
]

/** A Gaussian on a Poisson sample of the examples, `steps` times. Add or remove one example. */
export interface SampledGaussian {
  /** Probability with which each example is in a step, in (0, 1]. */
  readonly samplingRate: number
  /** Standard deviation over L2 sensitivity. */
  readonly noiseMultiplier: number
  readonly steps: number
}

/** @throws invalid-request */
export function requireSampledGaussian({ samplingRate, noiseMultiplier, steps }: SampledGaussian): void {
  if (!(samplingRate > 0 && samplingRate <= 1)) fail('invalid-request', 'a sampling rate is in (0, 1]')
  if (!(noiseMultiplier > 0 && noiseMultiplier < 1e6))
    fail('invalid-request', 'a noise multiplier is positive and less than 1e6: without noise nothing is private')
  if (!Number.isSafeInteger(steps) || steps < 0) fail('invalid-request', 'a number of steps is a whole number')
}

/**
 * The formula of the ledger document, a sum of steps / sigma^2. It is no guarantee: it knows neither delta nor sampling,
 * and half of it is the RDP at order 1. Shown as a diagnostic beside epsilon.
 */
export function documentFormula(mechanisms: readonly SampledGaussian[]): number {
  return mechanisms.reduce((sum, { steps, noiseMultiplier }) => sum + steps / noiseMultiplier ** 2, 0)
}

/** alpha * rho: what rho-zero-concentrated differential privacy says at the order alpha (Bun and Steinke 2016, 1.1). */
export function concentratedCurve(rho: number, orders: readonly number[] = RDP_ORDERS): number[] {
  return orders.map((order) => order * rho)
}

/** RDP of all steps at each order (Mironov, Talwar and Zhang 2019, section 3). @throws invalid-request */
export function sampledGaussianCurve(mechanism: SampledGaussian, orders: readonly number[] = RDP_ORDERS): number[] {
  requireSampledGaussian(mechanism)
  const { samplingRate: q, noiseMultiplier: sigma, steps } = mechanism
  return orders.map((order) => {
    if (!(order > 1)) fail('invalid-request', 'an order is above 1')
    if (q === 1) return (steps * order) / (2 * sigma * sigma)
    const log = Number.isInteger(order) ? logMomentInteger(q, sigma, order) : logMomentFractional(q, sigma, order)
    return (steps * (Math.max(0, log) + ROUNDING)) / (order - 1)
  })
}

/**
 * The same for discrete Gaussian noise on integers. At whole orders the formula is the same, as a shift by an integer
 * leaves the normaliser of e^(-x^2 / (2 s^2)) over the integers as it is, and the reflection of Mironov et al. (Theorem 5)
 * maps integers to integers.
 */
export function sampledDiscreteGaussianCurve(
  mechanism: SampledGaussian,
  orders: readonly number[] = RDP_ORDERS,
): number[] {
  const ends = [...new Set(orders.flatMap((order) => [Math.floor(order), Math.ceil(order)]))].filter((end) => end > 1)
  const values = new Map(sampledGaussianCurve(mechanism, ends).map((value, i) => [ends[i], value]))
  return betweenWholeOrders(orders, (order) => values.get(order) ?? Number.POSITIVE_INFINITY)
}

/**
 * A curve that is known at whole orders only, `valueAt` of 2, 3, ...: (order - 1) times the divergence is convex in the order
 * and nought at 1, so the chord is above it (van Erven and Harremoes 2014, Corollary 2).
 */
export function betweenWholeOrders(orders: readonly number[], valueAt: (order: number) => number): number[] {
  const moment = (order: number): number => (order > 1 ? (order - 1) * valueAt(order) : 0)
  return orders.map((order) => {
    const [low, high] = [Math.floor(order), Math.ceil(order)]
    const from = moment(low)
    return (from + (moment(high) - from) * (order - low)) / (order - 1)
  })
}

/** What rounding may have taken from a log moment: a moment too small to see must not be accounted as nothing. */
const ROUNDING = 1e-13

/** log A_alpha for a whole alpha: a finite binomial sum (Mironov et al. 2019, section 3.3, equation of case I). */
function logMomentInteger(q: number, sigma: number, order: number): number {
  let sum = Number.NEGATIVE_INFINITY
  let logChoose = 0
  for (let k = 0; k <= order; k++) {
    if (k > 0) logChoose += Math.log((order - k + 1) / k)
    const term = logChoose + k * Math.log(q) + (order - k) * Math.log1p(-q) + (k * k - k) / (2 * sigma * sigma)
    sum = logAdd(sum, term)
  }
  return sum
}

/** Terms below e^-30 end the series: the remainder is alternating and smaller than they are. */
const LOG_TERM_MIN = -30

/** log A_alpha for a fractional alpha: two series over the halves of the line (Mironov et al. 2019, section 3.3, case II). */
function logMomentFractional(q: number, sigma: number, order: number): number {
  const [logQ, logRest, twice] = [Math.log(q), Math.log1p(-q), 2 * sigma * sigma]
  const meet = sigma * sigma * Math.log(1 / q - 1) + 0.5
  let left = Number.NEGATIVE_INFINITY
  let right = Number.NEGATIVE_INFINITY
  let choose = 1
  for (let k = 0; ; k++) {
    if (k > 0) choose *= (order - k + 1) / k
    const [logChoose, j] = [Math.log(Math.abs(choose)) - Math.LN2, order - k]
    const a = logChoose + k * logQ + j * logRest + (k * k - k) / twice + logErfc((k - meet) / (Math.SQRT2 * sigma))
    const b = logChoose + j * logQ + k * logRest + (j * j - j) / twice + logErfc((meet - j) / (Math.SQRT2 * sigma))
    left = choose > 0 ? logAdd(left, a) : logSubtract(left, a)
    right = choose > 0 ? logAdd(right, b) : logSubtract(right, b)
    if (Math.max(a, b) < LOG_TERM_MIN) return logAdd(left, right)
  }
}

/** Sum of curves over the same orders. */
export function composeCurves(
  curves: readonly (readonly number[])[],
  orders: readonly number[] = RDP_ORDERS,
): number[] {
  if (curves.some((curve) => curve.length !== orders.length)) fail('internal', 'two curves have different orders')
  return orders.map((_, i) => curves.reduce((sum, curve) => sum + (curve[i] ?? 0), 0))
}

/**
 * The smallest epsilon that the curve proves for this delta (Canonne, Kamath and Steinke 2020, Proposition 12; Balle et
 * al. 2020, Theorem 21). Infinity where it proves none.
 */
export function epsilonOfCurve(
  curve: readonly number[],
  delta: number,
  orders: readonly number[] = RDP_ORDERS,
): number {
  if (!(delta > 0)) return curve.every((value) => value === 0) ? 0 : Number.POSITIVE_INFINITY
  if (delta >= 1) return 0
  const epsilons = orders.map((order, i) => {
    const value = curve[i] ?? Number.POSITIVE_INFINITY
    if (value === 0) return 0
    return value + Math.log1p(-1 / order) - (Math.log(delta) + Math.log(order)) / (order - 1)
  })
  return Math.max(0, Math.min(...epsilons))
}

/** The smallest delta that the curve proves for this epsilon, at most 1 (the same theorem, solved for delta). */
export function deltaOfCurve(
  curve: readonly number[],
  epsilon: number,
  orders: readonly number[] = RDP_ORDERS,
): number {
  const logs = orders.map((order, i) => {
    const value = curve[i] ?? Number.POSITIVE_INFINITY
    if (value === 0) return Number.NEGATIVE_INFINITY
    return (order - 1) * (value - epsilon + Math.log1p(-1 / order)) - Math.log(order)
  })
  return Math.min(1, Math.exp(Math.min(...logs)))
}
