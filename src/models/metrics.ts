/**
 * Figures of merit of a scorer: higher scores mean more suspicious, labels are 1 for attacks. Equal scores are one
 * threshold: no order among ties can help or harm. A figure that its classes do not define is null, never 0 or 1.
 */

import { fail } from '../base/errors.ts'
import { descendingOrder } from './ranking.ts'

/** Counts of the rows at or above one threshold. */
interface Threshold {
  readonly score: number
  readonly positives: number
  readonly negatives: number
}

/** Calls `visit` at each distinct score from the highest on; returns the totals. */
function sweep(scores: Float32Array, labels: Uint8Array, visit: (threshold: Threshold) => void): Threshold {
  if (scores.length !== labels.length) fail('wrong-shape', `${scores.length} scores for ${labels.length} labels`)
  const order = descendingOrder(scores)
  let positives = 0
  let negatives = 0
  for (let i = 0; i < order.length; i++) {
    const row = order[i] ?? 0
    if (labels[row] === 1) positives++
    else negatives++
    const score = scores[row] ?? 0
    if (i + 1 === order.length || scores[order[i + 1] ?? 0] !== score) visit({ score, positives, negatives })
  }
  return { score: -Infinity, positives, negatives }
}

/** Area under the ROC curve: P(attack scores above benign) + P(tie)/2. Null without both classes. */
export function rocAuc(scores: Float32Array, labels: Uint8Array): number | null {
  let area = 0
  let before: Threshold = { score: Infinity, positives: 0, negatives: 0 }
  const total = sweep(scores, labels, (at) => {
    area += ((at.negatives - before.negatives) * (at.positives + before.positives)) / 2
    before = at
  })
  return total.positives === 0 || total.negatives === 0 ? null : area / (total.positives * total.negatives)
}

/** Sum over thresholds of (recall gained) * precision, without interpolation. Null without positives. */
export function averagePrecision(scores: Float32Array, labels: Uint8Array): number | null {
  let sum = 0
  let positivesBefore = 0
  const total = sweep(scores, labels, ({ positives, negatives }) => {
    sum += ((positives - positivesBefore) * positives) / (positives + negatives)
    positivesBefore = positives
  })
  return total.positives === 0 ? null : sum / total.positives
}

/**
 * Lowest threshold t such that the share of negatives with score >= t is at most `rate`; Infinity if even the highest
 * score is shared by too many of them. Without negatives, every score passes.
 */
export function thresholdAtFalsePositiveRate(scores: Float32Array, labels: Uint8Array, rate: number): number {
  const candidates: Threshold[] = []
  let negativesTotal = 0
  for (let i = 0; i < labels.length; i++) if (labels[i] !== 1) negativesTotal++
  sweep(scores, labels, (at) => {
    if (at.negatives <= rate * negativesTotal) candidates[0] = at
  })
  return candidates[0]?.score ?? Infinity
}

/** Share of the positives at or above {@link thresholdAtFalsePositiveRate}. Null without positives. */
export function recallAtFalsePositiveRate(scores: Float32Array, labels: Uint8Array, rate: number): number | null {
  const threshold = thresholdAtFalsePositiveRate(scores, labels, rate)
  return recallAtThreshold(scores, labels, threshold)
}

/** Share of the rows labelled 1 whose score is at least `threshold`. Null if none is labelled 1. */
export function recallAtThreshold(scores: Float32Array, labels: Uint8Array, threshold: number): number | null {
  let positives = 0
  let found = 0
  for (let i = 0; i < labels.length; i++) {
    if (labels[i] !== 1) continue
    positives++
    if ((scores[i] ?? 0) >= threshold) found++
  }
  return positives === 0 ? null : found / positives
}
