/**
 * Noise in shares under secure aggregation (Kairouz, Liu and Steinke 2021, "The Distributed Discrete Gaussian Mechanism"):
 * each organisation adds a part, only the sum is seen, and the sum is private. A sum of discrete Gaussians is not quite a
 * discrete Gaussian; Theorem 1 bounds the difference. The guarantee is against the hub, and against organisations: but
 * one that knows its own share can take it away, so a share is sized for the *honest survivors*, the fewest that the
 * protocol can end with, less those who collude. More of them than planned only add noise.
 */

import { fail } from '../../base/errors.ts'
import { concentratedCurve, epsilonOfCurve } from './rdp.ts'

export interface Shares {
  /** Honest organisations whose noise is in the sum at least. */
  readonly survivorsMin: number
  /** Standard deviation of one share, in steps of the grid; at least 1/2. */
  readonly deviation: number
  /** L2 sensitivity of the sum of quantised updates, in steps of the grid. */
  readonly sensitivity: number
  /** Number of coordinates. */
  readonly dimension: number
}

/** tau of Theorem 1: how far the sum of shares is from a discrete Gaussian. */
export function sumDistance({ survivorsMin, deviation }: Pick<Shares, 'survivorsMin' | 'deviation'>): number {
  let tau = 0
  for (let k = 1; k < survivorsMin; k++) tau += Math.exp((-2 * Math.PI ** 2 * deviation ** 2 * k) / (k + 1))
  return 10 * tau
}

/** rho of one release: epsilon^2 / 2 with the smaller epsilon of the two of Theorem 1. @throws invalid-request */
export function distributedConcentration(shares: Shares): number {
  const { survivorsMin, deviation, sensitivity, dimension } = shares
  if (!Number.isInteger(survivorsMin) || survivorsMin < 1 || !(deviation >= 0.5) || !(sensitivity > 0))
    fail('invalid-request', 'shares need a survivor, a deviation of at least 1/2 and a positive sensitivity')
  const tau = sumDistance(shares)
  const ratio = sensitivity / (Math.sqrt(survivorsMin) * deviation)
  return Math.min(ratio ** 2 + (tau * dimension) / 2, (ratio + tau * Math.sqrt(dimension)) ** 2) / 2
}

/**
 * The least share, to 0.01 % and never below it, with which `rounds` sums stay within (epsilon, delta) when only
 * `survivorsMin` honest shares arrive. @throws invalid-request; not-available
 */
export function shareFor(
  target: { readonly epsilon: number; readonly delta: number; readonly rounds: number },
  sum: Omit<Shares, 'deviation'>,
): number {
  if (!(target.epsilon > 0) || !(target.delta > 0 && target.delta < 1) || !(target.rounds >= 1))
    fail('invalid-request', 'epsilon is positive, delta in (0, 1), and there is at least one round')
  const within = (deviation: number): boolean => {
    const rho = target.rounds * distributedConcentration({ ...sum, deviation })
    return epsilonOfCurve(concentratedCurve(rho), target.delta) <= target.epsilon
  }
  let [low, high] = [0.5, 0.5]
  while (!within(high)) {
    low = high
    high *= 2
    if (high > 1e12) fail('not-available', 'no share keeps this many rounds within the budget')
  }
  while (high / low > 1 + 1e-4) {
    const middle = Math.sqrt(low * high)
    if (within(middle)) high = middle
    else low = middle
  }
  return high
}

/**
 * Bits b such that the sum of all updates and all noise stays within [-2^(b-1), 2^(b-1)), but for 2^-40 of the runs. A
 * sum that wraps costs accuracy, never privacy. `bound` is the largest coordinate of one update, in steps of the grid.
 */
export function modulusBits(organisations: number, bound: number, deviation: number, dimension: number): number {
  // Discrete Gaussians are sub-Gaussian (Canonne et al. 2020, Corollary 17), and so is their sum.
  const tail = deviation * Math.sqrt(2 * organisations * Math.log(2 * dimension * 2 ** 40))
  return Math.ceil(Math.log2(organisations * bound + tail + 1)) + 1
}
