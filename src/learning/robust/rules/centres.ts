/** Rules that move a centre step by step. Each step is a combination of the points, so distances are all they need. */

import { medianOf } from '../geometry.ts'
import { indices, type Points, type RobustRule } from '../rule.ts'

/** nu of Pillutla et al. 2022, Algorithm 2: no distance counts for less, relative to the median distance. */
const SMOOTHING = 1e-6

/** Distances of sum(weights * points), the rest on the origin, to each point. */
function distancesOf(points: Points, weights: readonly number[]): number[] {
  const all = indices(points.count)
  const rest = 1 - weights.reduce((sum, weight) => sum + weight, 0)
  // |z - x_j|^2 = sum_i b_i d_ij - 1/2 sum_ik b_i b_k d_ik, the origin being one of the i.
  const linear = all.map((j) =>
    all.reduce((sum, i) => sum + (weights[i] ?? 0) * points.squared(i, j), rest * points.squaredNorm(j)),
  )
  const toOrigin = all.reduce((sum, i) => sum + (weights[i] ?? 0) * points.squaredNorm(i), 0)
  const spread = all.reduce((sum, i) => sum + (weights[i] ?? 0) * (linear[i] ?? 0), rest * toOrigin)
  return linear.map((value) => Math.sqrt(Math.max(0, value - spread / 2)))
}

/**
 * The geometric median by the smoothed Weiszfeld algorithm: Pillutla, Kakade, Harchaoui 2022 (RFA), Algorithm 2, from the
 * mean; every update counts alike, since a sample count is its sender's word.
 */
export const geometricMedian: RobustRule = {
  name: 'geometric-median',
  usesDistances: true,
  combine(points, { iterations }) {
    let weights = indices(points.count).map(() => 1 / points.count)
    for (let step = 0; step < iterations; step++) {
      const distances = distancesOf(points, weights)
      const least = SMOOTHING * medianOf(distances)
      if (!(least > 0)) break
      const pulls = distances.map((distance) => 1 / Math.max(least, distance))
      const total = pulls.reduce((sum, pull) => sum + pull, 0)
      weights = pulls.map((pull) => pull / total)
    }
    return { kind: 'weights', weights, clipped: [] }
  },
}

/**
 * Centered clipping: Karimireddy, He, Jaggi 2021, Algorithm 2, from no update at all (the origin):
 * v = v + mean((x_i - v) min(1, tau / |x_i - v|)).
 */
export const centeredClipping: RobustRule = {
  name: 'centered-clipping',
  usesDistances: true,
  combine(points, { iterations, radius }) {
    let weights = indices(points.count).map(() => 0)
    let factors: number[] = weights
    for (let step = 0; step < iterations; step++) {
      const distances = distancesOf(points, weights)
      const tau = radius ?? medianOf(distances)
      factors = distances.map((distance) => (distance > tau ? tau / distance : 1))
      const drawn = factors.reduce((sum, factor) => sum + factor, 0) / points.count
      weights = weights.map((weight, i) => weight * (1 - drawn) + (factors[i] ?? 0) / points.count)
    }
    return { kind: 'weights', weights, clipped: indices(points.count).filter((i) => (factors[i] ?? 1) < 1) }
  },
}

/**
 * Norm bound: the mean by sample counts of updates shortened to a length (Sun et al. 2019, section 4). It limits what one
 * organisation can do by its length alone; it does not see a lie of ordinary length.
 */
export const normBound: RobustRule = {
  name: 'norm-bound',
  usesDistances: true,
  combine(points, { normMax }) {
    const norms = indices(points.count).map((i) => Math.sqrt(points.squaredNorm(i)))
    const bound = normMax ?? medianOf(norms)
    const total = points.weights.reduce((sum, weight) => sum + weight, 0)
    return {
      kind: 'weights',
      weights: norms.map((norm, i) => ((points.weights[i] ?? 0) / total) * (norm > bound ? bound / norm : 1)),
      clipped: indices(points.count).filter((i) => (norms[i] ?? 0) > bound),
    }
  },
}
