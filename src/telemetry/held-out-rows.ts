/**
 * Which rows an organisation tries models on: from its cut on, so that none was ever trained on, with labels that it
 * knows, both classes alike up to a limit. Every row has a rank of its own, drawn by its number, and the lowest ranks are
 * taken: whether one row is known changes that row, and at most one other that moves up or makes place, whatever the rest
 * of the data. What is said of these rows is accounted for by that (learning/verdict.ts).
 */

import { ATTACK, BENIGN, type RowTable } from './dataset.ts'

export interface HeldOutOptions {
  /** Seconds since the epoch: rows from then on are held out. */
  readonly from: number
  /** Techniques by name that this organisation has labels of. */
  readonly families: readonly string[] | 'all'
  /** Of each class. */
  readonly rowsMax: number
}

/** A fixed shuffle of row numbers (the finaliser of MurmurHash3): no secret, and the same for everybody. */
function rankOf(row: number): number {
  let h = (row + 0x9e3779b9) >>> 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/** Row numbers, ascending; empty where nothing after the cut has a known label. */
export function heldOutRows(table: RowTable, techniques: readonly string[], options: HeldOutOptions): Uint32Array {
  const { from, families, rowsMax } = options
  const known = techniques.map((name) => families === 'all' || families.includes(name))
  const classes: Record<'benign' | 'attack', number[]> = { benign: [], attack: [] }
  for (let row = 0; row < table.length; row++) {
    if (!(table.time(row) >= from)) continue
    const label = table.label(row)
    if (label === BENIGN) classes.benign.push(row)
    else if (label === ATTACK && known[table.technique(row)] === true) classes.attack.push(row)
  }
  const taken = [...lowest(classes.benign, rowsMax), ...lowest(classes.attack, rowsMax)]
  return Uint32Array.from(taken).sort()
}

const lowest = (rows: readonly number[], count: number): number[] =>
  rows.length <= count ? [...rows] : rows.toSorted((a, b) => rankOf(a) - rankOf(b)).slice(0, count)
