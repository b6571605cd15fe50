/**
 * Figures of a scorer on the traffic after the cut, on rows and on unique (source, destination, minute) triples: one
 * scan of a thousand rows is one finding to an analyst, and a flood must not decide a figure.
 */

import { rankingFigures, recallAtThreshold, thresholdAtFalsePositiveRate } from './metrics.ts'
import { descendingOrder } from './ranking.ts'

/** Bits of a row's kind; 0 = benign. */
export const KIND_ATTACK = 1
/** An attack that is no flood. */
export const KIND_STEALTHY = 2
/** An attack of a family that this organisation had no labels of, but some other had. */
export const KIND_OTHERS = 4

/** False positives among benign rows at which `othersRecall` is taken. */
export const FALSE_POSITIVE_RATE = 0.01

export interface LaterSlice {
  /** One a row. */
  readonly kinds: Uint8Array
  /** Number of the row's triple, from 0 to tripleCount - 1. */
  readonly triples: Uint32Array
  readonly tripleCount: number
}

/** Null where the slice has no positives of that sort (or no benign rows). */
export interface Figures {
  readonly auc: number | null
  readonly ap: number | null
  readonly stealthyAuc: number | null
  readonly stealthyAp: number | null
  /** Recall of the attacks of others' families at 1 % false positives. */
  readonly othersRecall: number | null
}

export interface Metrics extends Figures {
  /** The same on triples: positive if any of its rows is, scored by its highest row. */
  readonly unique: Figures
}

export function measure(slice: LaterSlice, scores: Float32Array): Metrics {
  return { ...figures(slice.kinds, scores), unique: figures(kindsOfTriples(slice), scoresOfTriples(slice, scores)) }
}

/** One slice of several; triples of different organisations stay different. */
export function poolSlices(slices: readonly LaterSlice[]): LaterSlice {
  const rows = slices.reduce((sum, { kinds }) => sum + kinds.length, 0)
  const kinds = new Uint8Array(rows)
  const triples = new Uint32Array(rows)
  let at = 0
  let tripleCount = 0
  for (const slice of slices) {
    kinds.set(slice.kinds, at)
    for (const triple of slice.triples) triples[at++] = triple + tripleCount
    tripleCount += slice.tripleCount
  }
  return { kinds, triples, tripleCount }
}

const LEFT_OUT = 2

function figures(kinds: Uint8Array, scores: Float32Array): Figures {
  const order = descendingOrder(scores)
  const attacks = kinds.map((kind) => kind & KIND_ATTACK)
  const stealthy = kinds.map((kind) => (kind === 0 ? 0 : (kind & KIND_STEALTHY) === 0 ? LEFT_OUT : 1))
  const others = kinds.map((kind) => ((kind & KIND_OTHERS) === 0 ? 0 : 1))
  const threshold = thresholdAtFalsePositiveRate(scores, attacks, FALSE_POSITIVE_RATE, order)
  const all = rankingFigures(scores, attacks, order)
  const withoutFloods = rankingFigures(scores, stealthy, order)
  return {
    ...all,
    stealthyAuc: withoutFloods.auc,
    stealthyAp: withoutFloods.ap,
    // Without benign rows there are no false positives, and any threshold would do.
    othersRecall: attacks.includes(0) ? recallAtThreshold(scores, others, threshold) : null,
  }
}

function kindsOfTriples({ kinds, triples, tripleCount }: LaterSlice): Uint8Array {
  const merged = new Uint8Array(tripleCount)
  for (let row = 0; row < kinds.length; row++) {
    const triple = triples[row] ?? 0
    merged[triple] = (merged[triple] ?? 0) | (kinds[row] ?? 0)
  }
  return merged
}

function scoresOfTriples({ triples, tripleCount }: LaterSlice, scores: Float32Array): Float32Array {
  const highest = new Float32Array(tripleCount).fill(-Infinity)
  for (let row = 0; row < scores.length; row++) {
    const triple = triples[row] ?? 0
    highest[triple] = Math.max(highest[triple] ?? -Infinity, scores[row] ?? -Infinity)
  }
  return highest
}
