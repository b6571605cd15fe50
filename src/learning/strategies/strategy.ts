/** What a server optimiser is: one step per coordinate, from the weighted mean update of a round. */

import type { StrategyConfig, StrategyName } from '../config.ts'

export interface ServerStep {
  /** w_old on entry, w_new on return. */
  readonly weights: Float32Array
  /** Weighted mean update: sum(n_i * (w_i - w_old)) / sum(n_i), the negated pseudo-gradient. */
  readonly delta: Float32Array
  /** w_prev, the model before w_old; undefined in the first round. */
  readonly previous: Float32Array | undefined
  /** The optimiser's memory, one value a coordinate under each of its stateNames; updated in place. */
  readonly state: readonly Float32Array[]
}

/**
 * A strategy sees a chunk of coordinates at a time and treats each by itself, so that any chunking gives the same bits:
 * float64 arithmetic of exactly rounded operations, each result rounded once to float32.
 */
export interface Strategy {
  readonly name: StrategyName
  /** Names of the arrays of `state`, in their order. */
  readonly stateNames: readonly string[]
  /** True if `previous` is read. */
  readonly usesPrevious: boolean
  /** Value of each state before the first round, in the order of stateNames. */
  initialState(config: StrategyConfig): readonly number[]
  /** All arrays have the same length. */
  apply(step: ServerStep, config: StrategyConfig): void
}
