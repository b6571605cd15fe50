/** Liars who agree on one vector, chosen in view of what the honest ones send. */

import { krumScores } from '../../src/learning/robust/rules/krum.ts'
import { indices, type Points } from '../../src/learning/robust/rule.ts'
import type { UpdateAttack } from './attack.ts'
import { normalQuantile } from './normal-quantile.ts'
import { along, deviationOf, dot, meanOf, minus, norm } from './vectors.ts'

const all = (own: readonly Float32Array[], one: Float32Array): Float32Array[] => own.map(() => one.slice())

/**
 * How many deviations from the mean still pass for one of the majority: z_max = max z with Phi(z) < (n - m - s) / (n - m),
 * s = floor(n / 2 + 1) - m (Baruch et al. 2019, Algorithm 3). Zero where the liars alone are the majority.
 */
export function alieFactor(organisations: number, liars: number): number {
  const supporters = Math.max(1, Math.floor(organisations / 2 + 1) - liars)
  const share = (organisations - liars - supporters) / (organisations - liars)
  return share <= 0 ? 0 : normalQuantile(share)
}

/** A little is enough: mean - z sigma in each coordinate (Baruch et al. 2019, Algorithm 3; the sign is free). */
export function alie(factor?: number): UpdateAttack {
  return {
    kind: 'update',
    name: 'ALIE',
    source: 'Baruch, Baruch, Goldberg 2019, Algorithm 3',
    updates({ own, honest }) {
      const z = factor ?? alieFactor(own.length + honest.length, own.length)
      const mean = meanOf(honest)
      return all(own, along(mean, -z, deviationOf(honest, mean)))
    },
  }
}

/** Inner product manipulation: -epsilon times the mean of the honest (Xie, Koyejo, Gupta 2019, section 4.1). */
export function innerProduct(epsilon: number): UpdateAttack {
  return {
    kind: 'update',
    name: 'IPM',
    source: 'Xie, Koyejo, Gupta 2019 (Fall of Empires), section 4.1',
    updates: ({ own, honest }) =>
      all(
        own,
        Float32Array.from(meanOf(honest), (value) => -epsilon * value),
      ),
  }
}

/**
 * Min-max: mean + gamma p with the largest gamma such that it is no further from any honest update than two of them are from
 * each other (Shejwalkar and Houmansadr 2021, equation 10). Their Algorithm 1 searches gamma; each condition is a
 * quadratic inequality, so here it is solved. p: against the mean, or the negative deviation of each coordinate.
 */
export function minMax(direction: 'unit' | 'deviation' = 'unit'): UpdateAttack {
  return {
    kind: 'update',
    name: 'min-max',
    source: 'Shejwalkar, Houmansadr 2021, section 4.2, equation 10',
    updates({ own, honest }) {
      const mean = meanOf(honest)
      const perturbation = direction === 'unit' ? mean.map((value) => -value) : deviationOf(honest, mean).map((s) => -s)
      const length = norm(perturbation)
      const unit = length > 0 ? perturbation.map((value) => value / length) : perturbation
      return all(own, along(mean, largestGamma(honest, mean, unit), unit))
    },
  }
}

function largestGamma(honest: readonly Float32Array[], mean: Float64Array, unit: Float64Array): number {
  let reach = 0
  for (const [i, a] of honest.entries()) for (const b of honest.slice(i + 1)) reach = Math.max(reach, norm(minus(a, b)))
  // |mean - x + gamma p|^2 <= reach^2 with |p| = 1.
  const limits = honest.map((update) => {
    const offset = minus(mean, update)
    const half = dot(offset, unit)
    return -half + Math.sqrt(Math.max(0, half * half - dot(offset, offset) + reach * reach))
  })
  return Math.max(0, Math.min(...limits))
}

/** Halvings of lambda before the liars give up. */
const HALVINGS = 40

/**
 * A colluding minority: all liars send mean - lambda sign(mean), with the largest lambda (of halvings) at which Krum takes
 * their vector; being equal, they are each other's nearest (Fang, Cao, Jia, Gong 2020, section 4.2, full knowledge).
 */
export function collusion(): UpdateAttack {
  return {
    kind: 'update',
    name: 'colluding minority',
    source: 'Fang, Cao, Jia, Gong 2020, section 4.2',
    updates({ own, honest }) {
      const mean = meanOf(honest)
      const sign = mean.map(Math.sign)
      const isTaken = krumTakes(honest, own.length)
      let lambda = lambdaMax(honest, mean, own.length)
      for (let tries = 0; tries < HALVINGS; tries++, lambda /= 2) {
        const candidate = along(mean, -lambda, sign)
        if (isTaken(candidate)) return all(own, candidate)
      }
      return all(own, Float32Array.from(mean))
    },
  }
}

/**
 * Beyond it no liar is taken. With r the largest distance of an honest update from the mean, an honest score is at most
 * (n - m - 2) (2r)^2; that of a liar at distance l is at least (n - 2m - 1) (l - r)^2.
 */
function lambdaMax(honest: readonly Float32Array[], mean: Float64Array, liars: number): number {
  const reach = Math.max(...honest.map((update) => norm(minus(update, mean))))
  const [neighbours, away] = [honest.length - 2, Math.max(1, honest.length - liars - 1)]
  return (reach * (1 + 2 * Math.sqrt(neighbours / away))) / Math.sqrt(mean.length)
}

/** Whether Krum takes a vector that so many liars send, among these honest ones. */
export function krumTakes(honest: readonly Float32Array[], liars: number): (candidate: Float32Array) => boolean {
  const between = honest.map((a) => honest.map((b) => norm(minus(a, b)) ** 2))
  return (candidate) => {
    const away = honest.map((update) => norm(minus(candidate, update)) ** 2)
    const squared = (i: number, j: number): number => {
      const [a, b] = [i - liars, j - liars]
      if (a < 0 && b < 0) return 0
      return (a < 0 ? away[b] : b < 0 ? away[a] : between[a]?.[b]) ?? 0
    }
    const count = liars + honest.length
    const points: Points = { count, f: liars, weights: [], squared, squaredNorm: () => 0 }
    const scores = krumScores(points, indices(count), liars, 'n-f-2')
    return scores.indexOf(Math.min(...scores)) < liars
  }
}
