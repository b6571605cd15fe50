/** Figures of a scorer on the test slices of all organisations, pooled and one by one. */

import {
  FALSE_POSITIVE_RATE,
  KIND_ATTACK,
  KIND_OTHERS,
  KIND_STEALTHY,
  measure,
  poolSlices,
} from '../../../src/models/later-slice.ts'
import { thresholdAtFalsePositiveRate } from '../../../src/models/metrics.ts'
import { incidentsOf, type TestSlice } from './slice.ts'

export type Figures = Readonly<Record<string, number | null>>

/** Distinct minutes in a day. */
const DAY_TICKS = 1440
export const FALSE_ALERTS_A_DAY = 10
/** A family with fewer rows in the test says little about recall. */
export const FAMILY_ROWS_MIN = 100

export interface Scored {
  readonly slice: TestSlice
  readonly scores: Float32Array
}

/** Of one organisation. */
export function rankingFigures({ slice, scores }: Scored): Figures {
  const { stealthyAuc, stealthyAp, unique } = measure(slice, scores)
  return { AUC: stealthyAuc, AP: stealthyAp, 'triples AUC': unique.stealthyAuc, 'triples AP': unique.stealthyAp }
}

/** All organisations' rows in one ranking, and the campaigns that each finds at its own threshold. */
export function pooledFigures(parts: readonly Scored[]): Figures {
  const slice = poolSlices(parts.map((part) => part.slice))
  const { stealthyAuc, stealthyAp, unique } = measure(slice, concatScores(parts))
  const found = parts.map(incidentsFound)
  const total = found.reduce((sum, { total: of }) => sum + of, 0)
  return {
    AUC: stealthyAuc,
    AP: stealthyAp,
    'triples AUC': unique.stealthyAuc,
    'triples AP': unique.stealthyAp,
    'macro recall': macro(recallByFamily(parts)),
    'macro recall, own thresholds': macro(recallByFamily(parts, 'own')),
    [`incidents of ${total}`]: found.reduce((sum, { found: of }) => sum + of, 0),
  }
}

/** Recall of the rows of families that only others had labels of, at 1 % false positives, on rows and on triples. */
export function othersFigures(parts: readonly (Scored & { readonly others: readonly string[] })[]): Figures {
  const marked = parts.map(({ slice, others }) => {
    const isOthers = slice.families.map((name) => others.includes(name))
    const kinds = slice.kinds.map((kind, i) => (isOthers[slice.family[i] ?? 0] === true ? kind | KIND_OTHERS : kind))
    return { ...slice, kinds }
  })
  const { othersRecall, unique } = measure(poolSlices(marked), concatScores(parts))
  return { "others' recall": othersRecall, "triples others' recall": unique.othersRecall }
}

function macro(recalls: Readonly<Record<string, number>>): number | null {
  const values = Object.values(recalls)
  return values.length === 0 ? null : values.reduce((sum, recall) => sum + recall, 0) / values.length
}

/**
 * Recall of each stealthy family at 1 % false positives: one threshold among all organisations' benign rows, or one of each
 * organisation among its own, as organisations have in practice.
 */
export function recallByFamily(
  parts: readonly Scored[],
  thresholds: 'common' | 'own' = 'common',
): Record<string, number> {
  const common = thresholdOf(concatKinds(parts), concatScores(parts))
  const counts = new Map<string, { rows: number; found: number }>()
  for (const part of parts) {
    const threshold = thresholds === 'common' ? common : thresholdOf(part.slice.kinds, part.scores)
    part.scores.forEach((score, i) => {
      if (((part.slice.kinds[i] ?? 0) & KIND_STEALTHY) === 0) return
      const name = part.slice.families[part.slice.family[i] ?? 0] ?? ''
      const count = counts.get(name) ?? { rows: 0, found: 0 }
      counts.set(name, { rows: count.rows + 1, found: count.found + (score >= threshold ? 1 : 0) })
    })
  }
  const large = [...counts].filter(([, { rows }]) => rows >= FAMILY_ROWS_MIN).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(large.map(([name, { rows, found }]) => [name, found / rows]))
}

function thresholdOf(kinds: Uint8Array, scores: Float32Array): number {
  const attacks = kinds.map((kind) => kind & KIND_ATTACK)
  return thresholdAtFalsePositiveRate(scores, attacks, FALSE_POSITIVE_RATE)
}

/**
 * An alert is a (source, destination, minute) triple at or above the organisation's threshold, which lets ten benign
 * triples a day pass; an incident is found if any of its rows is.
 */
function incidentsFound({ slice, scores }: Scored): { found: number; total: number } {
  const { of, count } = incidentsOf(slice)
  const highest = new Float32Array(slice.tripleCount).fill(-Infinity)
  const benign = new Uint8Array(slice.tripleCount).fill(1)
  slice.triples.forEach((triple, i) => {
    highest[triple] = Math.max(highest[triple] ?? -Infinity, scores[i] ?? -Infinity)
    if ((slice.kinds[i] ?? 0) !== 0) benign[triple] = 0
  })
  const negatives = benign.reduce((sum, bit) => sum + bit, 0)
  const allowed = (FALSE_ALERTS_A_DAY * slice.ticks) / DAY_TICKS
  const labels = benign.map((bit) => 1 - bit)
  const threshold = thresholdAtFalsePositiveRate(highest, labels, Math.min(1, allowed / Math.max(1, negatives)))
  const found = new Set<number>()
  of.forEach((incident, i) => {
    if (incident >= 0 && (scores[i] ?? 0) >= threshold) found.add(incident)
  })
  return { found: found.size, total: count }
}

function concatKinds(parts: readonly Scored[]): Uint8Array {
  return poolSlices(parts.map(({ slice }) => slice)).kinds
}

function concatScores(parts: readonly Scored[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { scores }) => sum + scores.length, 0))
  let at = 0
  for (const { scores } of parts) {
    all.set(scores, at)
    at += scores.length
  }
  return all
}
