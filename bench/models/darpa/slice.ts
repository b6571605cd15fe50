/** The test slice of one organisation: which rows are scored, what they are, and which belong to one incident. */

import { triplesOf } from '../../../src/telemetry/triples.ts'
import { KIND_ATTACK, KIND_STEALTHY, type LaterSlice } from '../../../src/models/later-slice.ts'
import { ATTACK, BENIGN, type RowTable, STEALTHY } from '../../../src/telemetry/dataset.ts'

export interface TestSlice extends LaterSlice {
  /** Row numbers in the data set, ascending. */
  readonly rows: Uint32Array
  /** Family of each row, an index into `families`; 0 = benign. */
  readonly family: Uint16Array
  readonly families: readonly string[]
  /** Minute of each row. */
  readonly minute: Uint32Array
  readonly ticks: number
}

export interface SliceOptions {
  /** Seconds since the epoch. */
  readonly from: number
  readonly until: number
  /** Ticks that the slice covers, those without traffic included. */
  readonly ticks: number
  /** Of each flood, at most so many rows are scored, evenly over time: a flood is a million rows of one kind. */
  readonly floodRowsMax: number
}

export function testSlice(table: RowTable, families: readonly string[], options: SliceOptions): TestSlice {
  const rows = sliceRows(table, families.length, options)
  const kinds = Uint8Array.from(rows, (row) => kindOf(table, row))
  const family = Uint16Array.from(rows, (row) => (table.label(row) === ATTACK ? table.technique(row) : 0))
  const minute = Uint32Array.from(rows, (row) => table.minute(row))
  return { rows, kinds, family, families, minute, ticks: options.ticks, ...triplesOf(table, rows) }
}

function kindOf(table: RowTable, row: number): number {
  if (table.label(row) !== ATTACK) return 0
  return KIND_ATTACK | ((table.flags(row) & STEALTHY) === 0 ? 0 : KIND_STEALTHY)
}

function sliceRows(table: RowTable, techniques: number, { from, until, floodRowsMax }: SliceOptions): Uint32Array {
  const floods = new Uint32Array(techniques)
  let first = 0
  while (first < table.length && table.time(first) < from) first++
  const isFlood = (row: number): boolean => kindOf(table, row) === KIND_ATTACK
  let end = first
  while (end < table.length && table.time(end) < until) end++
  for (let row = first; row < end; row++)
    if (isFlood(row)) floods[table.technique(row)] = (floods[table.technique(row)] ?? 0) + 1
  const seen = new Uint32Array(techniques)
  const rows: number[] = []
  for (let row = first; row < end; row++) {
    if (table.label(row) !== BENIGN && table.label(row) !== ATTACK) continue
    if (isFlood(row)) {
      const family = table.technique(row)
      const stride = Math.ceil((floods[family] ?? 0) / floodRowsMax)
      const nth = seen[family] ?? 0
      seen[family] = nth + 1
      if (nth % stride !== 0) continue
    }
    rows.push(row)
  }
  return Uint32Array.from(rows)
}

/** A longer silence of a family in an organisation ends a campaign. Minutes in which the capture shows traffic. */
const CAMPAIGN_GAP = 60

/**
 * Number of the incident of each row, -1 for benign rows and floods. One incident is one stealthy family in one
 * organisation in one campaign: its rows follow one another with no silence of more than an hour.
 */
export function incidentsOf({ kinds, family, minute }: TestSlice): { of: Int32Array; count: number } {
  const of = new Int32Array(kinds.length).fill(-1)
  const open = new Map<number, { incident: number; last: number }>()
  let count = 0
  for (let i = 0; i < kinds.length; i++) {
    if (((kinds[i] ?? 0) & KIND_STEALTHY) === 0) continue
    const [name, now] = [family[i] ?? 0, minute[i] ?? 0]
    const campaign = open.get(name)
    const goesOn = campaign !== undefined && now - campaign.last <= CAMPAIGN_GAP
    const incident = goesOn ? campaign.incident : count++
    open.set(name, { incident, last: now })
    of[i] = incident
  }
  return { of, count }
}
