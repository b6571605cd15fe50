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

/** Calls `visit` at each distinct score from the highest on; returns the totals. Labels other than 0 and 1 are left out. */
function sweep(
  scores: Float32Array,
  labels: Uint8Array,
  order: Uint32Array,
  visit: (threshold: Threshold) => void,
): Threshold {
  if (scores.length !== labels.length) fail('wrong-shape', `${scores.length} scores for ${labels.length} labels`)
  let positives = 0
  let negatives = 0
  for (let i = 0; i < order.length; i++) {
    const row = order[i] ?? 0
    if (labels[row] === 1) positives++
    else if (labels[row] === 0) negatives++
    const score = scores[row] ?? 0
    if (i + 1 === order.length || scores[order[i + 1] ?? 0] !== score) visit({ score, positives, negatives })
  }
  return { score: -Infinity, positives, negatives }
}

export interface RankingFigures {
  readonly auc: number | null
  readonly ap: number | null
}

/**
 * Both figures of a ranking from one sort; rows labelled neither 0 nor 1 are left out. `order` is that of
 * {@link descendingOrder}, for callers that look at one ranking under several labellings.
 */
export function rankingFigures(
  scores: Float32Array,
  labels: Uint8Array,
  order: Uint32Array = descendingOrder(scores),
): RankingFigures {
  let area = 0
  let precisionSum = 0
  let before: Threshold = { score: Infinity, positives: 0, negatives: 0 }
  const total = sweep(scores, labels, order, (at) => {
    const gained = at.positives - before.positives
    area += ((at.negatives - before.negatives) * (at.positives + before.positives)) / 2
    if (gained > 0) precisionSum += (gained * at.positives) / (at.positives + at.negatives)
    before = at
  })
  const { positives, negatives } = total
  return {
    auc: positives === 0 || negatives === 0 ? null : area / (positives * negatives),
    ap: positives === 0 ? null : precisionSum / positives,
  }
}

/** Area under the ROC curve: P(attack scores above benign) + P(tie)/2. Null without both classes. */
export function rocAuc(scores: Float32Array, labels: Uint8Array): number | null {
  return rankingFigures(scores, labels).auc
}

/** Sum over thresholds of (recall gained) * precision, without interpolation. Null without positives. */
export function averagePrecision(scores: Float32Array, labels: Uint8Array): number | null {
  return rankingFigures(scores, labels).ap
}

/**
 * Lowest threshold t such that the share of negatives with score >= t is at most `rate`; Infinity if even the highest
 * score is shared by too many of them. Without negatives, every score passes.
 */
export function thresholdAtFalsePositiveRate(
  scores: Float32Array,
  labels: Uint8Array,
  rate: number,
  order: Uint32Array = descendingOrder(scores),
): number {
  let threshold = Infinity
  let negativesTotal = 0
  for (let i = 0; i < labels.length; i++) if (labels[i] === 0) negativesTotal++
  sweep(scores, labels, order, ({ score, negatives }) => {
    if (negatives <= rate * negativesTotal) threshold = score
  })
  return threshold
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
