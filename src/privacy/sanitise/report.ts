/**
 * What was removed or replaced, in numbers. It may be shown to anybody: it holds counts, and names from closed lists of
 * this room only. No value, no name of a file, and no name of a field or log that the logs themselves brought along.
 */

import type { Action } from './actions.ts'
import type { DetectorName } from './detectors/detector.ts'

export interface SanitiseReport {
  readonly format: 'entente-sanitise-report-1'
  readonly linesIn: number
  readonly linesOut: number
  /** Lines that could not be read in their format, and left out for it, by reason. */
  readonly linesDropped: Readonly<Record<string, number>>
  /** By log kind and field of the allow-list: values given a pseudonym, or removed because they had not the form. */
  readonly fields: Readonly<Record<string, Readonly<Partial<Record<Outcome, number>>>>>
  /** By log kind: values of fields that no list names, removed. */
  readonly unlisted: Readonly<Record<string, number>>
  /** By detector, over all texts. */
  readonly detectors: Readonly<Partial<Record<DetectorName, number>>>
  /** By log kind and field: findings by detector. */
  readonly findings: Readonly<Record<string, Readonly<Partial<Record<DetectorName, number>>>>>
  readonly techniques: { readonly normalised: number; readonly unknown: number }
}

export type Outcome = 'pseudonym' | 'encrypted' | 'removed' | 'searched'

type Counts = Record<string, number>

export interface Tally {
  line(): void
  written(lines?: number): void
  dropped(reason: 'json' | 'field-count' | 'no-header' | 'address' | 'line-too-long' | 'summary' | 'comment'): void
  field(field: string, outcome: Outcome): void
  unlisted(kind: string): void
  found(field: string, detector: DetectorName): void
  technique(known: boolean): void
  report(): SanitiseReport
}

/** What became of a value under each action. */
export const OUTCOMES: Readonly<Record<Action, Outcome>> = {
  keep: 'searched',
  text: 'searched',
  technique: 'searched',
  address: 'pseudonym',
  host: 'pseudonym',
  user: 'pseudonym',
  mac: 'pseudonym',
  sid: 'pseudonym',
  number: 'encrypted',
  identifier: 'encrypted',
}

export function createTally(): Tally {
  let [linesIn, linesOut, normalised, unknown] = [0, 0, 0, 0]
  const linesDropped: Counts = {}
  const fields: Record<string, Counts> = {}
  const unlisted: Counts = {}
  const detectors: Counts = {}
  const findings: Record<string, Counts> = {}

  return {
    line: () => void linesIn++,
    written: (lines = 1) => void (linesOut += lines),
    dropped: (reason) => add(linesDropped, reason),
    field: (field, outcome) => add((fields[field] ??= {}), outcome),
    unlisted: (kind) => add(unlisted, kind),
    found(field, detector) {
      add(detectors, detector)
      add((findings[field] ??= {}), detector)
    },
    technique: (known) => void (known ? normalised++ : unknown++),
    report: () => ({
      format: 'entente-sanitise-report-1',
      linesIn,
      linesOut,
      linesDropped: sorted(linesDropped),
      fields: sorted(fields, sorted),
      unlisted: sorted(unlisted),
      detectors: sorted(detectors),
      findings: sorted(findings, sorted),
      techniques: { normalised, unknown },
    }),
  }
}

function add(counts: Counts, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1
}

function sorted<T>(record: Readonly<Record<string, T>>, inside: (value: T) => T = (value) => value): Record<string, T> {
  return Object.fromEntries(
    Object.entries(record)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => [key, inside(value)]),
  )
}
