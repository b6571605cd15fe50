import { describe, expect, it } from 'vitest'
import { prng } from '../base/prng.ts'
import { ATTACK, BENIGN, encodeRow, ROW_BYTES, RowTable, UNKNOWN } from './dataset.ts'
import { heldOutRows } from './held-out-rows.ts'

const TECHNIQUES = ['', 'portsweep', 'smurf']
const CUT = 500

/** One row a second; every fourth is an attack, of the two techniques in turn, every eleventh is unknown. */
function table(rows: number, labelOf = (_row: number, label: number): number => label): RowTable {
  const bytes = new Uint8Array(rows * ROW_BYTES)
  for (let row = 0; row < rows; row++) {
    const label = row % 11 === 0 ? UNKNOWN : row % 4 === 0 ? ATTACK : BENIGN
    const technique = label === ATTACK ? 1 + ((row / 4) % 2) : 0
    const given = { time: row, minute: 0, sourceId: 0, destinationId: 0, technique, flags: 0, line: row }
    encodeRow(new DataView(bytes.buffer), row, { ...given, label: labelOf(row, label) })
  }
  return new RowTable(bytes)
}

const OPTIONS = { from: CUT, families: 'all', rowsMax: 100 } as const
const take = (rows: RowTable, options: Partial<Parameters<typeof heldOutRows>[2]> = {}) => [
  ...heldOutRows(rows, TECHNIQUES, { ...OPTIONS, ...options }),
]

describe('rows held out', () => {
  it('are all from the cut on, ascending, with a label that is known, both classes up to the limit', () => {
    const rows = table(2000)
    const taken = take(rows)
    expect(taken).toEqual(taken.toSorted((a, b) => a - b))
    expect(taken.every((row) => row >= CUT && rows.label(row) !== UNKNOWN)).toBe(true)
    const attacks = taken.filter((row) => rows.label(row) === ATTACK)
    expect([taken.length, attacks.length]).toEqual([200, 100])
  })

  it('are all of them where there are fewer, and none where nothing is after the cut', () => {
    expect(take(table(520))).toHaveLength(
      Array.from({ length: 20 }, (_, i) => CUT + i).filter((r) => r % 11 !== 0).length,
    )
    expect(take(table(CUT))).toEqual([])
  })

  it('have no attack of a family that was not investigated', () => {
    const rows = table(2000)
    const known = take(rows, { families: ['smurf'] }).filter((row) => rows.label(row) === ATTACK)
    expect(known.length).toBeGreaterThan(50)
    expect(known.every((row) => rows.technique(row) === 2)).toBe(true)
  })

  it('differ in that row and one other when one row becomes unknown, whatever row it is', () => {
    const before = new Set(take(table(2000)))
    const random = prng('held-out')
    for (let i = 0; i < 40; i++) {
      const changed = CUT + random.below(1500)
      const after = new Set(take(table(2000, (row, label) => (row === changed ? UNKNOWN : label))))
      expect([...before].filter((row) => !after.has(row)).length).toBeLessThanOrEqual(1)
      expect([...after].filter((row) => !before.has(row)).length).toBeLessThanOrEqual(1)
      expect(after.has(changed)).toBe(false)
    }
  })
})
