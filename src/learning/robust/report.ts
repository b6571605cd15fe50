/** What a robust aggregation tells the ledger and the operator. It accuses nobody: it names who was far from the rest. */

import { medianOf } from './geometry.ts'
import { indices } from './rule.ts'

export interface RobustReport {
  readonly rule: string
  /**
   * Under secure aggregation, where the rule saw means of buckets: the positions of each bucket's participants. The lists
   * below are then positions of buckets.
   */
  readonly buckets?: readonly (readonly number[])[]
  /** Organisations with no part in the aggregate, as positions among the participants of the block. */
  readonly leftOut: readonly number[]
  /** Whose updates were shortened. */
  readonly clipped: readonly number[]
  /**
   * Whose update was not finite, or further than {@link FAR} times the median of all: from the aggregate where the rule takes
   * one pass, from the middle one of the others where it measures distances.
   */
  readonly flagged: readonly number[]
  /** Whose update points against the step before; only where a rule measured distances and there was such a step. */
  readonly against?: readonly number[]
}

/** Honest organisations with data of different kinds lie within about twice the median; a sign flip or a scaled update beyond. */
export const FAR = 3

/** @param distances - of each update; not finite = the update is not */
export function flaggedOf(distances: readonly number[]): number[] {
  const median = medianOf(distances.filter((distance) => Number.isFinite(distance)))
  return indices(distances.length).filter((i) => !((distances[i] ?? Infinity) <= FAR * median))
}
