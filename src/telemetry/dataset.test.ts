import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type DatasetInfo, decodeInfo, encodeInfo, encodeRow, ROW_BYTES, RowTable } from './dataset.ts'

const u32 = fc.integer({ min: 0, max: 0xffffffff })
const row = fc.record({
  time: fc.double({ min: 0, max: 4e9, noNaN: true }),
  sourceId: u32,
  destinationId: u32,
  minute: u32,
  technique: fc.integer({ min: 0, max: 0xffff }),
  label: fc.integer({ min: 0, max: 2 }),
  flags: fc.integer({ min: 0, max: 3 }),
  line: u32,
})

const INFO: DatasetInfo = {
  version: 1,
  rows: 2,
  featureNames: ['a'],
  techniques: ['', 'T1046'],
  hosts: 3,
  labels: { benign: 1, attack: 1, unknown: 0, stealthy: 1 },
  techniqueRows: { T1046: 1 },
  timeFirst: 1.5,
  timeLast: null,
  localNetworks: ['10.0.0.0/8'],
  sources: [
    {
      name: 'conn.log',
      format: 'zeek-tsv',
      lines: 3,
      interactions: 2,
      skipped: { comment: 1 },
      refused: {},
      truncated: false,
    },
  ],
}

describe('the data set', () => {
  it('gives back the rows that were written', () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 20 }), (rows) => {
        const bytes = new Uint8Array(rows.length * ROW_BYTES)
        for (const [i, item] of rows.entries()) encodeRow(new DataView(bytes.buffer), i, item)
        const table = new RowTable(bytes)
        expect(Array.from({ length: table.length }, (_, i) => table.at(i))).toEqual(rows)
      }),
    )
  })

  it('gives back its description', () => {
    expect(decodeInfo(encodeInfo(INFO))).toEqual(INFO)
  })

  it.each([
    '',
    '{}',
    'null',
    encodeInfo(INFO).replace('"version": 1', '"version": 2'),
    encodeInfo(INFO).replace('"rows"', '"row"'),
  ])('refuses a damaged description %#', (text) => {
    expect(() => decodeInfo(text)).toThrow(expect.objectContaining({ code: 'input-invalid' }))
  })

  it('refuses half a row', () => {
    expect(() => new RowTable(new Uint8Array(ROW_BYTES + 1))).toThrow(
      expect.objectContaining({ code: 'input-invalid' }),
    )
  })
})
