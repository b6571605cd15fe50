/** Unique (source, destination, minute) triples, which no flood can inflate. */

import type { RowTable } from './dataset.ts'

/** Numbers the (source, destination, minute) triples; rows of a minute may come in any order within it. */
export function triplesOf(rows: RowTable, selected: Uint32Array): { triples: Uint32Array; tripleCount: number } {
  const triples = new Uint32Array(selected.length)
  const ofMinute = new Map<number, number>()
  let minute = -1
  let tripleCount = 0
  selected.forEach((row, i) => {
    if (rows.minute(row) !== minute) ofMinute.clear()
    minute = rows.minute(row)
    const pair = rows.sourceId(row) * 2 ** 26 + rows.destinationId(row)
    let triple = ofMinute.get(pair)
    if (triple === undefined) {
      triple = tripleCount++
      ofMinute.set(pair, triple)
    }
    triples[i] = triple
  })
  return { triples, tripleCount }
}
