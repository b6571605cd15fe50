/**
 * Local differential privacy of one organisation: it adds all the noise itself, before anybody else sees the update, so
 * the guarantee holds against everybody: the hub, the other organisations together, and readers of the ledger. Adjacent:
 * any two data sets of the organisation whatsoever. Two clipped updates may be opposite, so the sensitivity is twice the
 * clip. Noise of variance s^2 on integers of sensitivity D is D^2 / (2 s^2)-concentrated (Canonne, Kamath and Steinke
 * 2020, Theorem 14, in as many dimensions as one likes).
 */

import { fail } from '../../base/errors.ts'
import { EXPONENT_MAX, EXPONENT_MIN, GRID_MAX } from './grid.ts'
import { concentratedCurve, epsilonOfCurve } from './rdp.ts'

export interface LocalTarget {
  readonly epsilon: number
  readonly delta: number
  /** L2 norm that no update exceeds. */
  readonly clip: number
  /** Updates that the organisation will release in all. */
  readonly rounds: number
  /** L2 sensitivity of what is released with each update, in the unit of the clip, with the same noise in each coordinate. */
  readonly besides?: number
}

/** Facts from which anybody can compute the guarantee. Lengths in steps of the grid. */
export interface LocalNoise {
  /** The step of the grid is 2^exponent. */
  readonly exponent: number
  /** Standard deviation of the noise, a whole number. */
  readonly deviation: number
  /** L2 sensitivity: twice the clip, and a millionth for the rounding of norms. */
  readonly sensitivity: number
}

/** Deviations of 512 to 1024 steps: fine enough for the bias of rounding, small enough for a table of 14,000 entries. */
const DEVIATION_BITS = 9
/** Norms are sums in float64, and the clipped values are rounded to float32. */
const NORM_SLACK = 1 + 1e-6
/** The share of delta that is kept for the distance of the noise table from the exact distribution. */
const TABLE_SHARE = 1e-3

/** The least noise for the target. @throws invalid-request, not-available if no grid fits the clip */
export function planLocalNoise(target: LocalTarget): LocalNoise {
  requireTarget(target)
  const { epsilon, delta, clip, rounds, besides = 0 } = target
  const rho = concentrationFor(epsilon, deltaForNoise(delta)) / rounds
  return onGrid(sensitivityOf(clip, besides) / Math.sqrt(2 * rho), { clip, besides })
}

/** @throws invalid-request */
export function requireTarget({ epsilon, delta, clip, rounds }: LocalTarget): void {
  if (!(epsilon > 0 && epsilon <= 100) || !(delta > 0 && delta < 1) || !(clip > 0) || !(rounds >= 1))
    fail('invalid-request', 'a target has epsilon in (0, 100], delta in (0, 1), a positive clip and at least one round')
}

/** Between any two clipped updates: they may be opposite. */
export function sensitivityOf(clip: number, besides = 0): number {
  return Math.hypot(2 * clip, besides) * NORM_SLACK
}

/** Noise of at least this deviation, on a grid that is fine for it. @throws not-available if no grid fits the clip */
export function onGrid(deviation: number, { clip, besides = 0 }: Pick<LocalTarget, 'clip' | 'besides'>): LocalNoise {
  const exponent = Math.floor(Math.log2(deviation)) - DEVIATION_BITS
  if (exponent < EXPONENT_MIN || exponent > EXPONENT_MAX || clip / 2 ** exponent > GRID_MAX / 2)
    fail('not-available', 'no grid is fine and wide enough for this clip, epsilon and number of rounds')
  const whole = Math.ceil(deviation / 2 ** exponent)
  // Where clips differ by round, so would what rounding up gives away: with it, all rounds of a training cost the same.
  const gained = besides > 0 ? whole / (deviation / 2 ** exponent) : 1
  return { exponent, deviation: whole, sensitivity: (sensitivityOf(clip, besides) * gained) / 2 ** exponent }
}

/** A table ends where weights are below 2^-140: sqrt(280 log 2) = 13.94 deviations from nought. */
const DEVIATIONS_MAX = 14

/** Steps that no draw of a noise table of this deviation exceeds. */
export function drawMax(deviation: number): number {
  return DEVIATIONS_MAX * deviation
}

/** Steps that no coordinate of a clipped update with its noise exceeds. */
export function stepsMax({ exponent, deviation }: LocalNoise, clip: number): number {
  return Math.ceil((clip * NORM_SLACK) / 2 ** exponent) + drawMax(deviation)
}

/** What is left of delta for the noise itself; the rest is for the distance of its table. */
export function deltaForNoise(delta: number): number {
  return delta - tableShare(delta)
}

/** What of delta is kept for the noise table, all releases together. */
export function tableShare(delta: number): number {
  return delta * TABLE_SHARE
}

/** rho of one release: concentration adds up over releases. */
export function concentrationOf({ deviation, sensitivity }: Pick<LocalNoise, 'deviation' | 'sensitivity'>): number {
  return (sensitivity / deviation) ** 2 / 2
}

/** What noise from a table may add to delta: dimension draws a release, each so far from the exact distribution. */
export function tableDelta(epsilon: number, distance: number, draws: number): number {
  return (1 + Math.exp(epsilon)) * distance * draws
}

/**
 * The largest rho, to a millionth and never above it, that is (epsilon, delta).
 * @param curveOf of noise with this rho: it grows with rho
 */
export function concentrationFor(
  epsilon: number,
  delta: number,
  curveOf: (rho: number) => number[] = concentratedCurve,
): number {
  const within = (rho: number): boolean => epsilonOfCurve(curveOf(rho), delta) <= epsilon
  let [low, high] = [0, epsilon]
  while (high - low > 1e-6 * high) {
    const middle = (low + high) / 2
    if (within(middle)) low = middle
    else high = middle
  }
  if (low === 0) fail('not-available', 'no noise gives this epsilon and delta')
  return low
}
