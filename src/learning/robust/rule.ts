/** What a robust rule is: from the distances of some points to how they are combined. */

import type { RobustConfig, RobustRuleName } from './config.ts'

/** Points after mixing: the updates themselves, their mixtures, or buckets of them. */
export interface Points {
  readonly count: number
  /** Number that may be false. */
  readonly f: number
  /** Of organisations behind each, for the one rule that trusts it. */
  readonly weights: readonly number[]
  /** Squared distance of points i and j. */
  squared(i: number, j: number): number
  /** Squared length of point i. */
  squaredNorm(i: number): number
}

export type Combination =
  /** Sum of weight times point; what is missing to 1 lies on the origin. `clipped`: points that were shortened. */
  | { readonly kind: 'weights'; readonly weights: readonly number[]; readonly clipped: readonly number[] }
  /** A statistic of each coordinate over these points. */
  | { readonly kind: 'coordinates'; readonly points: readonly number[]; readonly statistic: Statistic }

export type Statistic =
  /** Mean of the values from..to-1 in sorted order. */
  | { readonly name: 'sorted-mean'; readonly from: number; readonly to: number }
  /** Mean of the `keep` values nearest to the median. */
  | { readonly name: 'window-mean'; readonly keep: number }

export interface RobustRule {
  readonly name: Exclude<RobustRuleName, 'none'>
  /** False for a rule that treats each coordinate by itself: it is spared the first pass. */
  readonly usesDistances: boolean
  combine(points: Points, config: RobustConfig): Combination
}

export const indices = (count: number): number[] => Array.from({ length: count }, (_, i) => i)
