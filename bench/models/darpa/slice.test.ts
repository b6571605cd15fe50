import { describe, expect, it } from 'vitest'
import { ATTACK, BENIGN, encodeRow, ROW_BYTES, RowTable, STEALTHY } from '../../../src/telemetry/dataset.ts'
import { pooledFigures, recallByFamily } from './figures.ts'
import { oneFamilyEach } from './situations.ts'
import { incidentsOf, type SliceOptions, testSlice } from './slice.ts'

/** [minute, source, destination, family]; 0 = benign, 1 = a scan, 2 = a flood. */
type Sketch = readonly (readonly [number, number, number, number])[]

function tableOf(rows: Sketch): RowTable {
  const bytes = new Uint8Array(rows.length * ROW_BYTES)
  rows.forEach(([minute, sourceId, destinationId, technique], i) =>
    encodeRow(new DataView(bytes.buffer), i, {
      time: 60 * minute,
      sourceId,
      destinationId,
      minute,
      technique,
      label: technique === 0 ? BENIGN : ATTACK,
      flags: technique === 1 ? STEALTHY : 0,
      line: i + 1,
    }),
  )
  return new RowTable(bytes)
}

const families = ['', 'satan', 'neptune']
const options: SliceOptions = { from: 0, until: Infinity, ticks: 1440, floodRowsMax: 2 }
const slice = (rows: Sketch, changes: Partial<SliceOptions> = {}): ReturnType<typeof testSlice> =>
  testSlice(tableOf(rows), families, { ...options, ...changes })

describe('the test slice', () => {
  it('holds the rows of its time, and floods thinned evenly', () => {
    const rows: Sketch = Array.from({ length: 10 }, (_, i) => [i, 1, 2, i % 2 === 0 ? 2 : 0])
    expect([...slice(rows, { from: 120, until: 540 }).rows]).toEqual([2, 3, 5, 6, 7])
  })

  it('numbers unique triples whatever the order inside a minute', () => {
    const { triples, tripleCount } = slice([
      [0, 1, 2, 0],
      [0, 2, 1, 0],
      [0, 1, 2, 0],
      [1, 1, 2, 0],
    ])
    expect([...triples]).toEqual([0, 1, 0, 2])
    expect(tripleCount).toBe(3)
  })

  it('an incident ends with an hour of silence of its family, and floods are none', () => {
    const { of, count } = incidentsOf(
      slice([
        [0, 1, 2, 1],
        [60, 1, 2, 1],
        [60, 1, 2, 0],
        [60, 1, 2, 2],
        [121, 1, 2, 1],
      ]),
    )
    expect([...of]).toEqual([0, 0, -1, -1, 1])
    expect(count).toBe(2)
  })
})

describe('the figures of a slice', () => {
  const rows: Sketch = [
    ...Array.from({ length: 200 }, (_, i): Sketch[number] => [i, 1, 2, 0]),
    ...Array.from({ length: 100 }, (_, i): Sketch[number] => [300 + i, 3, 4, 1]),
  ]

  it('recall at 1 % false positives is of each stealthy family', () => {
    const scores = Float32Array.from(rows, ([minute, , , family]) => (family === 0 ? minute : minute < 325 ? 0 : 500))
    expect(recallByFamily([{ slice: slice(rows), scores }])).toEqual({ satan: 0.75 })
  })

  it('an incident is found if one of its rows is above ten benign triples a day', () => {
    const found = (best: number): number | null => {
      const scores = Float32Array.from(rows, ([minute, , , family]) =>
        family === 0 ? minute : minute === 300 ? best : 0,
      )
      return pooledFigures([{ slice: slice(rows), scores }])['incidents of 1'] ?? null
    }
    expect(found(190)).toBe(1)
    expect(found(189)).toBe(0)
  })
})

it('one family an organisation: stealthy ones first, each to who met it most and has none yet', () => {
  const counts = {
    a: { neptune: 900, satan: 60, dict: 70 },
    b: { neptune: 800, satan: 90 },
    c: { neptune: 500, satan: 10 },
    d: { satan: 49 },
  }
  expect(oneFamilyEach(counts)).toEqual({ a: ['dict'], b: ['satan'], c: ['neptune'], d: [] })
})
