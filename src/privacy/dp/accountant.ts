/**
 * What a series of Gaussian mechanisms on one data set costs in all. Two ways to know it: RDP, quick and without a lowest
 * delta, and the loss distribution, nearly exact. Both are upper bounds, so the smaller of them is one too.
 */

import { fail } from '../../base/errors.ts'
import { epsilonOfLosses } from './pld.ts'
import { composeCurves, epsilonOfCurve, type SampledGaussian, sampledGaussianCurve } from './rdp.ts'

export type Accountant = 'rdp' | 'pld'

/** Epsilon at this delta, for adding or removing one example. @throws invalid-request; not-available (pld only) */
export function epsilonOf(mechanisms: readonly SampledGaussian[], delta: number, accountant: Accountant): number {
  if (accountant === 'pld') return epsilonOfLosses(mechanisms, delta)
  return epsilonOfCurve(composeCurves(mechanisms.map((mechanism) => sampledGaussianCurve(mechanism))), delta)
}

/**
 * The formula of the ledger document, a sum of steps / sigma^2. It is no guarantee: it knows neither delta nor sampling,
 * and half of it is the RDP at order 1. Shown as a diagnostic beside epsilon.
 */
export function documentFormula(mechanisms: readonly SampledGaussian[]): number {
  return mechanisms.reduce((sum, { steps, noiseMultiplier }) => sum + steps / noiseMultiplier ** 2, 0)
}

const NOISE_MAX = 1e5
const PRECISION = 1e-4

/**
 * The least noise multiplier, to 0.01 % and never below it, with which so many steps stay within (epsilon, delta) by RDP.
 * @throws invalid-request; not-available if no noise is enough
 */
export function noiseMultiplierFor(
  target: { readonly epsilon: number; readonly delta: number },
  training: { readonly samplingRate: number; readonly steps: number },
): number {
  if (!(target.epsilon > 0) || !(target.delta > 0 && target.delta < 1))
    fail('invalid-request', 'epsilon is positive, delta in (0, 1)')
  const within = (noiseMultiplier: number): boolean =>
    epsilonOf([{ ...training, noiseMultiplier }], target.delta, 'rdp') <= target.epsilon
  let [low, high] = [1e-2, 1e-2]
  while (!within(high)) {
    low = high
    high *= 2
    if (high > NOISE_MAX) fail('not-available', `no noise keeps ${training.steps} steps within this budget`)
  }
  while (high / low > 1 + PRECISION) {
    const middle = Math.sqrt(low * high)
    if (within(middle)) high = middle
    else low = middle
  }
  return high
}
