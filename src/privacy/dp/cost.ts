/** What one release costs, in the form in which a budget keeps it, and the Renyi curve that follows from it. */

import { fail } from '../../base/errors.ts'
import { concentratedCurve, type SampledGaussian, sampledDiscreteGaussianCurve, sampledGaussianCurve } from './rdp.ts'
import { type SkellamNoise, skellamCurve } from './skellam.ts'

/** `delta` is what a release adds to delta whatever epsilon is, e.g. for the distance of a noise table. */
export type Cost =
  | { readonly kind: 'concentrated'; readonly rho: number; readonly delta: number }
  | ({ readonly kind: 'skellam'; readonly delta: number } & SkellamNoise)
  | ({ readonly kind: 'sampled-gaussian' | 'sampled-discrete-gaussian'; readonly delta: number } & SampledGaussian)

/** What the mechanism itself costs. */
export type CostOfNoise = Cost extends infer C ? (C extends unknown ? Omit<C, 'delta'> : never) : never

/** More than any limit allows, and its multiples are finite. */
const COST_MAX = 1e6

/** @throws invalid-request */
export function curveOf(cost: CostOfNoise): number[] {
  switch (cost.kind) {
    case 'sampled-gaussian':
      return sampledGaussianCurve(cost)
    case 'sampled-discrete-gaussian':
      return sampledDiscreteGaussianCurve(cost)
    case 'skellam':
      requireConcentration(cost.rho)
      return skellamCurve(cost)
    case 'concentrated':
      requireConcentration(cost.rho)
      return concentratedCurve(cost.rho)
  }
}

/** A value that is no finite number would be lost in JSON, and with it what was spent. */
function requireConcentration(rho: number): void {
  if (!(rho >= 0 && rho < COST_MAX)) fail('invalid-request', 'rho is at least 0')
}
