/** The norms of a round, summed coordinate by coordinate in float64, so that no chunking changes a bit of them. */

import { convergenceRate } from './convergence.ts'

export interface AggregationNorms {
  /** ||w_new - w_old||. */
  readonly normDifference: number
  /** ||delta|| of the weighted mean update. */
  readonly gradientNorm: number
  /** ||w_new - w_old|| / ||w_old||. */
  readonly convergence: number
}

export interface NormSums {
  /** Equal lengths. */
  add(base: Float32Array, weights: Float32Array, delta: Float32Array): void
  norms(): AggregationNorms
}

export function createNormSums(): NormSums {
  let squaredBase = 0
  let squaredStep = 0
  let squaredDelta = 0

  function add(base: Float32Array, weights: Float32Array, delta: Float32Array): void {
    let [b, s, d] = [squaredBase, squaredStep, squaredDelta]
    for (let i = 0; i < base.length; i++) {
      const old = base[i] ?? 0
      const step = (weights[i] ?? 0) - old
      const change = delta[i] ?? 0
      b += old * old
      s += step * step
      d += change * change
    }
    squaredBase = b
    squaredStep = s
    squaredDelta = d
  }

  function norms(): AggregationNorms {
    const normDifference = Math.sqrt(squaredStep)
    return {
      normDifference,
      gradientNorm: Math.sqrt(squaredDelta),
      convergence: convergenceRate(normDifference, Math.sqrt(squaredBase)),
    }
  }

  return { add, norms }
}
