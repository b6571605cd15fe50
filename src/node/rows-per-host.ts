/** No host has more than so many rows in a training as their source: what a row is protected by, a host is in groups. */

import { prng, shuffle } from '../base/prng.ts'
import { ATTACK } from '../telemetry/dataset.ts'
import type { TrainingRows } from '../telemetry/training-rows.ts'
import type { OpenDataset } from './dataset-files.ts'

/**
 * Of a host with more rows, which ones stay is drawn, evenly. One row more changes the draw of all: the choice is not what
 * differential privacy covers (docs/reference/privacy.md).
 */
export function boundHosts({ rows: table, info }: OpenDataset, selected: TrainingRows, most: number): TrainingRows {
  const order = Uint32Array.from(selected.rows)
  shuffle(order, prng('rows of a host'))
  const taken = new Map<number, number>()
  const kept = order.filter((row) => {
    const source = table.sourceId(row)
    const before = taken.get(source) ?? 0
    taken.set(source, before + 1)
    return before < most
  })
  const positives = kept.filter((row) => table.label(row) === ATTACK)
  const families: Record<string, number> = {}
  for (const row of positives) {
    const name = info.techniques[table.technique(row)] ?? ''
    families[name] = (families[name] ?? 0) + 1
  }
  return { ...selected, rows: kept.toSorted(), positives: positives.length, families }
}
