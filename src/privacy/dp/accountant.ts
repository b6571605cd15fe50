/**
 * What a series of Gaussian mechanisms on one data set costs in all. Two ways to know it: RDP, quick and without a lowest
 * delta, and the loss distribution, nearly exact. Both are upper bounds, so the smaller of them is one too.
 */

import { epsilonOfLosses } from './pld.ts'
import { composeCurves, epsilonOfCurve, type SampledGaussian, sampledGaussianCurve } from './rdp.ts'

export type Accountant = 'rdp' | 'pld'

/** Epsilon at this delta, for adding or removing one example. @throws invalid-request; not-available (pld only) */
export function epsilonOf(mechanisms: readonly SampledGaussian[], delta: number, accountant: Accountant): number {
  if (accountant === 'pld') return epsilonOfLosses(mechanisms, delta)
  return epsilonOfCurve(composeCurves(mechanisms.map((mechanism) => sampledGaussianCurve(mechanism))), delta)
}
