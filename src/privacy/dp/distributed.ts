/**
 * Noise in shares under secure aggregation (Kairouz, Liu and Steinke 2021, "The Distributed Discrete Gaussian Mechanism"):
 * each organisation adds a part, only the sum is seen, and the sum is private. A sum of discrete Gaussians is not quite a
 * discrete Gaussian; Theorem 1 bounds the difference. The guarantee is against the hub, and against organisations: but
 * one that knows its own share can take it away, so a share is sized for the *honest survivors*, the fewest that the
 * protocol can end with, less those who collude. More of them than planned only add noise.
 */

import { fail } from '../../base/errors.ts'
import { deltaForNoise, type LocalNoise, type LocalTarget, onGrid, sensitivityOf } from './local.ts'
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

/** With shares of hundreds of steps tau is nought, and the number of coordinates does not matter. */
const DIMENSION_MAX = 2 ** 32
/** Steps in which a sensitivity is measured before the grid is known: so fine that tau is nought. */
const FINE = 2 ** 20

export interface SharedNoise extends LocalNoise {
  /** Honest organisations whose shares are in the sum at least. */
  readonly survivorsMin: number
}

/**
 * The least share for the target, on a grid of its own. Updates are cut to whole steps towards zero before the share is
 * added, which lets no norm grow: so quantising adds nothing to the sensitivity, and the conditional rounding of section
 * 4 of the paper, whose random result may be longer than the update, is not needed.
 * @throws invalid-request, not-available
 */
export function planSharedNoise({ clip, besides = 0, ...target }: LocalTarget, survivorsMin: number): SharedNoise {
  const sum = { survivorsMin, sensitivity: FINE, dimension: DIMENSION_MAX }
  const share = shareFor({ ...target, delta: deltaForNoise(target.delta) }, sum)
  return { ...onGrid((share / FINE) * sensitivityOf(clip, besides), { clip, besides }), survivorsMin }
}

/** rho of one sum, whatever the size of the model. */
export function sharedConcentration({
  survivorsMin,
  deviation,
  sensitivity,
}: Pick<SharedNoise, 'survivorsMin' | 'deviation' | 'sensitivity'>): number {
  return distributedConcentration({ survivorsMin, deviation, sensitivity, dimension: DIMENSION_MAX })
}
