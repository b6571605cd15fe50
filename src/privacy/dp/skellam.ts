/**
 * Noise in shares whose sum is of the same kind (Agarwal, Kairouz and Liu 2021, "The Skellam Mechanism for Differentially
 * Private Federated Learning"): Skellam draws of variances v and w add up to one of v + w, so with so many honest shares the
 * sum has the noise that is accounted for, and not nearly that. Shares are sized as in distributed.ts.
 */

import type { SharedNoise } from './distributed.ts'
import { concentrationFor, deltaForNoise, type LocalTarget, onGrid, requireTarget, sensitivityOf } from './local.ts'
import { betweenWholeOrders, RDP_ORDERS } from './rdp.ts'

export interface SkellamNoise {
  /** Square of the L2 sensitivity over twice the variance: what a Gaussian of this variance would cost. */
  readonly rho: number
  /** Of the noise in the sum, in squared steps of the grid; a lower bound is enough. */
  readonly variance: number
}

/**
 * Corollary 3.6 of the paper at whole orders, between them the chord. Differences of updates are whole steps, so their L1
 * norm is at most the square of their L2 norm, and the bound needs no number of coordinates.
 */
export function skellamCurve({ rho, variance }: SkellamNoise, orders: readonly number[] = RDP_ORDERS): number[] {
  return betweenWholeOrders(orders, (order) => rho * (order + Math.min((2 * order + 5) / (2 * variance), 3)))
}

/** A share on a grid of onGrid has more steps. */
const DEVIATION_LEAST = 512

/**
 * What one sum costs. Beyond {@link DEVIATION_LEAST} the variance hardly matters: it is taken to be no more, so that rounds
 * on different grids cost the same.
 */
export function skellamNoiseOf({
  survivorsMin,
  deviation,
  sensitivity,
}: Pick<SharedNoise, 'survivorsMin' | 'deviation' | 'sensitivity'>): SkellamNoise {
  return {
    rho: (sensitivity / deviation) ** 2 / (2 * survivorsMin),
    variance: survivorsMin * Math.min(deviation, DEVIATION_LEAST) ** 2,
  }
}

/** The least share for the target, on a grid of its own. @throws invalid-request, not-available */
export function planSkellamNoise(target: LocalTarget, survivorsMin: number): SharedNoise {
  requireTarget(target)
  const { epsilon, delta, clip, rounds, besides = 0 } = target
  const variance = survivorsMin * DEVIATION_LEAST ** 2
  const rho = concentrationFor(epsilon, deltaForNoise(delta), (all) => skellamCurve({ rho: all, variance }))
  const deviation = sensitivityOf(clip, besides) / Math.sqrt((2 * rho * survivorsMin) / rounds)
  return { ...onGrid(deviation, { clip, besides }), survivorsMin }
}
