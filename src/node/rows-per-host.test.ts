import { describe, expect, it } from 'vitest'
import { ATTACK, BENIGN, encodeRow, ROW_BYTES, RowTable } from '../telemetry/dataset.ts'
import type { OpenDataset } from './dataset-files.ts'
import { boundHosts } from './rows-per-host.ts'

const ROWS = 90

/** Hosts 0, 1 and 2 in turn, but host 0 has two thirds of all rows; every third row of host 0 is a scan. */
function dataset(): OpenDataset {
  const bytes = new Uint8Array(ROWS * ROW_BYTES)
  const view = new DataView(bytes.buffer)
  for (let row = 0; row < ROWS; row++) {
    const sourceId = row < 60 ? 0 : 1 + (row % 2)
    const isScan = sourceId === 0 && row % 3 === 0
    const common = { time: row, sourceId, destinationId: 3, minute: 0, flags: 0, line: row + 1 }
    encodeRow(view, row, { ...common, technique: isScan ? 1 : 0, label: isScan ? ATTACK : BENIGN })
  }
  return { info: { techniques: ['', 'scan'] }, rows: new RowTable(bytes) } as unknown as OpenDataset
}

const selected = {
  rows: Uint32Array.from({ length: ROWS }, (_, row) => row),
  positives: 20,
  families: { scan: 20 },
  available: { benign: 70, attack: 20 },
}

describe('rows of one host', () => {
  it('are no more than allowed, of any host; the others are as they were, in order', () => {
    const table = dataset()
    const { rows, positives, families } = boundHosts(table, selected, 15)
    const counts = [0, 1, 2].map((host) => rows.filter((row) => table.rows.sourceId(row) === host).length)
    expect(counts).toEqual([15, 15, 15])
    expect(rows).toEqual(rows.toSorted())
    expect(new Set(rows).size).toBe(45)
    expect(positives).toBe(rows.filter((row) => row < 60 && row % 3 === 0).length)
    expect(families).toEqual({ scan: positives })
    expect(boundHosts(table, selected, 60).rows).toEqual(selected.rows)
  })

  it('are the same rows at every round', () => {
    expect(boundHosts(dataset(), selected, 10).rows).toEqual(boundHosts(dataset(), selected, 10).rows)
  })
})
