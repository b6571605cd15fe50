import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ATTACK, BENIGN, encodeRow, ROW_BYTES, RowTable, UNKNOWN } from './dataset.ts'
import { fairShares, trainingRows, type TrainingRowsOptions } from './training-rows.ts'

const TECHNIQUES = ['', 'flood', 'scan', 'beacon']

/** Rows one second apart; each is [label, technique]. */
function tableOf(rows: readonly (readonly [number, number])[]): RowTable {
  const bytes = new Uint8Array(rows.length * ROW_BYTES)
  const view = new DataView(bytes.buffer)
  for (const [i, [label, technique]] of rows.entries()) {
    encodeRow(view, i, { time: i, sourceId: 0, destinationId: 0, minute: 0, technique, label, flags: 0, line: i + 1 })
  }
  return new RowTable(bytes)
}

const many = (count: number, label: number, technique: number): [number, number][] =>
  Array.from({ length: count }, () => [label, technique])
const OPTIONS: TrainingRowsOptions = { trainUntil: null, families: 'all', rowsMax: 1000, seed: 's' }

describe('training rows', () => {
  const mixed = tableOf([
    ...many(3000, BENIGN, 0),
    ...many(5000, ATTACK, 1),
    ...many(100, ATTACK, 2),
    ...many(40, ATTACK, 3),
    ...many(9, UNKNOWN, 0),
  ])

  it('give every family its share, so that a flood cannot fill the sample', () => {
    const { rows, positives, families } = trainingRows(mixed, TECHNIQUES, OPTIONS)
    expect(families).toEqual({ flood: 360, scan: 100, beacon: 40 })
    expect(positives).toBe(500)
    expect(rows).toHaveLength(1000)
  })

  it('leave out attacks of families that were not investigated, and rows of unknown label', () => {
    const { rows, families } = trainingRows(mixed, TECHNIQUES, { ...OPTIONS, families: ['scan'], rowsMax: 100_000 })
    expect(families).toEqual({ scan: 100 })
    expect([...rows].every((row) => mixed.label(row) === BENIGN || mixed.technique(row) === 2)).toBe(true)
    expect(rows).toHaveLength(3100)
  })

  it('lie before the cut', () => {
    const { rows } = trainingRows(mixed, TECHNIQUES, { ...OPTIONS, trainUntil: 3050, rowsMax: 100_000 })
    expect(rows).toHaveLength(3050)
    expect(rows.at(-1)).toBe(3049)
  })

  it('are the same for a seed, others for another, ascending and without repetition', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 9000 }), fc.string(), (rowsMax, seed) => {
        const { rows } = trainingRows(mixed, TECHNIQUES, { ...OPTIONS, rowsMax, seed })
        expect(trainingRows(mixed, TECHNIQUES, { ...OPTIONS, rowsMax, seed }).rows).toEqual(rows)
        expect(rows).toHaveLength(Math.min(rowsMax, 8140))
        expect([...rows].every((row, i) => i === 0 || row > (rows[i - 1] as number))).toBe(true)
      }),
    )
    const [one, two] = ['one', 'two'].map((seed) => trainingRows(mixed, TECHNIQUES, { ...OPTIONS, seed }).rows)
    expect(one).not.toEqual(two)
  })

  it('exist without any positive, but not without any known row', () => {
    expect(trainingRows(mixed, TECHNIQUES, { ...OPTIONS, families: [] })).toMatchObject({ positives: 0 })
    expect(() => trainingRows(tableOf(many(5, UNKNOWN, 0)), TECHNIQUES, OPTIONS)).toThrow(
      expect.objectContaining({ code: 'no-data' }),
    )
    expect(() => trainingRows(mixed, TECHNIQUES, { ...OPTIONS, rowsMax: 1 })).toThrow(
      expect.objectContaining({ code: 'invalid-request' }),
    )
  })
})

describe('fair shares', () => {
  it('spend the whole budget if it is wanted, give nobody more than asked, and never more to a smaller demand', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1000), { maxLength: 12 }), fc.nat(5000), (demands, budget) => {
        const shares = fairShares(demands, budget)
        const [given, wanted] = [shares, demands].map((list) => list.reduce((sum, n) => sum + n, 0)) as [number, number]
        expect(given).toBe(Math.min(budget, wanted))
        for (const [i, share] of shares.entries()) {
          expect(share).toBeLessThanOrEqual(demands[i] as number)
          for (const [j, other] of shares.entries())
            if ((demands[j] as number) > (demands[i] as number)) expect(other + 1).toBeGreaterThanOrEqual(share)
        }
      }),
    )
  })
})
