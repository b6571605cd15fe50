/**
 * What an update, or the sum of a bucket, tells about its sender without looking at data: its direction against the aggregate
 * before. It follows from squared distances, which the first pass of a robust rule measures anyway.
 * A sign is no verdict: an honest organisation that alone sees an attack looks the same.
 */

import { medianOf } from './geometry.ts'
import { indices } from './rule.ts'

export type SignName =
  /** Flagged by the rule of the round: not finite, or far from the rest. */
  | 'flagged'
  /** Points against the aggregate before, which most do not. */
  | 'against'

export interface Measured {
  /** Squared length. */
  readonly squaredNorm: number
  /** Squared distance to the aggregate before. */
  readonly squaredToPrevious: number
}

/** Cosine below which an update works against the aggregate before, where the median one does not. */
const AGAINST = -0.2

/** Cosine of the angle between two vectors by their distances; 0 where one of them is zero. */
export function cosineOf(squaredA: number, squaredB: number, squaredDistance: number): number {
  const lengths = Math.sqrt(squaredA) * Math.sqrt(squaredB)
  if (!(lengths > 0) || !Number.isFinite(lengths)) return 0
  return Math.max(-1, Math.min(1, (squaredA + squaredB - squaredDistance) / (2 * lengths)))
}

/** Positions of those that point against the aggregate before. @param previous - its squared length */
export function againstOf(measured: readonly Measured[], previous: number): number[] {
  const cosines = measured.map(({ squaredNorm, squaredToPrevious }) =>
    cosineOf(squaredNorm, previous, squaredToPrevious),
  )
  const goAlong = medianOf(cosines) > 0
  return indices(measured.length).filter((i) => goAlong && (cosines[i] ?? 0) < AGAINST)
}
