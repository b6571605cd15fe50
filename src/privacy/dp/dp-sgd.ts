/**
 * The noise of DP-SGD on integers (models/dp-sgd): from epsilon and delta of a whole training to a grid and a whole
 * deviation, and what that noise says for several rows at once.
 */

import { fail } from '../../base/errors.ts'
import { deltaOfCurve, epsilonOfCurve, type SampledGaussian, sampledDiscreteGaussianCurve } from './rdp.ts'
import { deltaForNoise } from './local.ts'
import { TABLE_DEVIATION_MAX } from './table.ts'

export interface StepsTarget {
  readonly epsilon: number
  readonly delta: number
  readonly samplingRate: number
  /** Of all rounds together. */
  readonly steps: number
}

export interface StepNoise {
  /** Steps of the grid in one clip, a power of two: gradients are cut to whole ones. */
  readonly clipSteps: number
  /** Of the noise, in steps of the grid. */
  readonly deviation: number
}

/** Deviations of 4096 to 8192 steps: cutting to whole steps takes nothing worth mentioning from a gradient. */
const DEVIATION_BITS = 12
const CLIP_BITS_MIN = 6
const NOISE_MIN = 0.05
const PRECISION = 1e-4
/** Bound on the distance of the tables of such deviations from the exact distribution, a draw. */
export const TABLE_DISTANCE_MAX = 2 ** -105

/** Epsilon of sampled discrete Gaussians at what of delta is left for the noise. */
export function epsilonOfSteps(mechanism: SampledGaussian, delta: number): number {
  return epsilonOfCurve(sampledDiscreteGaussianCurve(mechanism), deltaForNoise(delta))
}

/**
 * The least noise, to 0.01 % and never below it, that keeps all steps within the target.
 * @throws invalid-request; not-available if no grid is fine enough for so much noise
 */
export function planStepNoise(target: StepsTarget): StepNoise {
  const { epsilon, delta, samplingRate, steps } = target
  if (!(epsilon > 0) || !(delta > 0 && delta < 1)) fail('invalid-request', 'epsilon is positive, delta in (0, 1)')
  const bits = DEVIATION_BITS - Math.floor(Math.log2(leastMultiplier(target)))
  if (bits < CLIP_BITS_MIN) fail('not-available', 'so much noise leaves nothing of a gradient: ask for less privacy')
  const clipSteps = 2 ** Math.min(bits, 14)
  let deviation = Math.ceil(leastMultiplier(target) * clipSteps)
  // The search ends within 0.01 %, and a whole deviation is above it; nothing is taken on trust.
  while (epsilonOfSteps({ samplingRate, steps, noiseMultiplier: deviation / clipSteps }, delta) > epsilon) deviation++
  if (deviation > TABLE_DEVIATION_MAX) fail('not-available', 'no table of noise is wide enough for this')
  return { clipSteps, deviation }
}

function leastMultiplier({ epsilon, delta, samplingRate, steps }: StepsTarget): number {
  const within = (noiseMultiplier: number): boolean =>
    epsilonOfSteps({ samplingRate, steps, noiseMultiplier }, delta) <= epsilon
  let [low, high] = [NOISE_MIN, NOISE_MIN]
  while (!within(high)) {
    low = high
    high *= 2
    if (high > 2 ** DEVIATION_BITS) fail('not-available', `no noise keeps ${steps} steps within this budget`)
  }
  while (high / low > 1 + PRECISION) {
    const middle = Math.sqrt(low * high)
    if (within(middle)) high = middle
    else low = middle
  }
  return high
}

/**
 * Epsilon for `rows` rows together, e.g. all those of one host: the smaller of two upper bounds.
 * @throws invalid-request
 */
export function epsilonOfGroup(mechanism: SampledGaussian, rows: number, delta: number): number {
  if (!Number.isInteger(rows) || rows < 1) fail('invalid-request', 'a group has at least one row')
  return Math.min(epsilonAtOnce(mechanism, rows, delta), epsilonOneByOne(mechanism, rows, delta))
}

/**
 * In each step at least one of them is present with probability 1 - (1 - q)^rows, and together they move the sum by no more
 * than rows * clip; every such step counts as the full move.
 */
function epsilonAtOnce({ samplingRate, noiseMultiplier, steps }: SampledGaussian, rows: number, delta: number): number {
  const together = -Math.expm1(rows * Math.log1p(-Math.min(samplingRate, 1 - 2 ** -53)))
  const grouped = { samplingRate: Math.min(1, together), noiseMultiplier: noiseMultiplier / rows, steps }
  return epsilonOfCurve(sampledDiscreteGaussianCurve(grouped), deltaForNoise(delta))
}

/** One row after the other: rows * e at delta * (1 + e^e + ... + e^((rows - 1) e)) (Vadhan 2017, Lemma 2.2). */
function epsilonOneByOne(mechanism: SampledGaussian, rows: number, delta: number): number {
  const curve = sampledDiscreteGaussianCurve(mechanism)
  const logDelta = (epsilon: number): number =>
    Math.log(deltaOfCurve(curve, epsilon)) + (rows - 1) * epsilon - Math.log1p(-Math.exp(-Math.max(epsilon, 1e-9)))
  let [low, high] = [0, 1]
  while (logDelta(high) > Math.log(deltaForNoise(delta))) {
    low = high
    high *= 2
    if (high > 1e4) return Number.POSITIVE_INFINITY
  }
  while (high - low > 1e-4 * high) {
    const middle = (low + high) / 2
    if (logDelta(middle) > Math.log(deltaForNoise(delta))) low = middle
    else high = middle
  }
  return rows * high
}
