/**
 * What an update, or the sum of a bucket, tells about its sender without looking at data: its length, and its direction
 * against the aggregate before. Both follow from squared distances, which the first pass of a robust rule measures anyway.
 * A sign is no verdict: an honest organisation that alone sees an attack looks the same.
 */

import { medianOf } from './geometry.ts'
import { FAR } from './report.ts'

export type SignName =
  /** Flagged by the rule of the round: not finite, or far from the rest. */
  | 'flagged'
  /** More than {@link FAR} times as long as the median update. */
  | 'long'
  /** Points against the aggregate before, which most do not. */
  | 'against'
  /** Less than a tenth as long as the median update: who learns nothing sends nothing. */
  | 'short'

export interface Sign {
  readonly sign: SignName
  /** What was measured, and the limit that it passed. */
  readonly value: number
  readonly limit: number
}

export interface Measured {
  /** Squared length. */
  readonly squaredNorm: number
  /** Squared distance to the aggregate before; null in a first round. */
  readonly squaredToPrevious: number | null
}

const SHORT = 0.1
/** Cosine below which an update works against the aggregate before, where the median one does not. */
const AGAINST = -0.2

/** Cosine of the angle between two vectors by their distances; 0 where one of them is zero. */
export function cosineOf(squaredA: number, squaredB: number, squaredDistance: number): number {
  const lengths = Math.sqrt(squaredA) * Math.sqrt(squaredB)
  if (!(lengths > 0) || !Number.isFinite(lengths)) return 0
  return Math.max(-1, Math.min(1, (squaredA + squaredB - squaredDistance) / (2 * lengths)))
}

/** The signs of each, in the order given. @param previous - squared length of the aggregate before; null in a first round */
export function signsOf(measured: readonly Measured[], previous: number | null): Sign[][] {
  const norms = measured.map(({ squaredNorm }) => Math.sqrt(squaredNorm))
  const median = medianOf(norms.filter((norm) => Number.isFinite(norm)))
  const cosines = measured.map(({ squaredNorm, squaredToPrevious }) =>
    previous === null || squaredToPrevious === null ? null : cosineOf(squaredNorm, previous, squaredToPrevious),
  )
  const usual = medianOf(cosines.filter((cosine) => cosine !== null))
  return norms.map((norm, i) => {
    const cosine = cosines[i] ?? null
    return [
      ...(norm <= FAR * median ? [] : [{ sign: 'long', value: norm, limit: FAR * median } as const]),
      ...(norm < SHORT * median ? [{ sign: 'short', value: norm, limit: SHORT * median } as const] : []),
      ...(cosine !== null && usual > 0 && cosine < AGAINST
        ? [{ sign: 'against', value: cosine, limit: AGAINST } as const]
        : []),
    ]
  })
}
