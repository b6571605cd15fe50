/** Which attack families an organisation's training slice holds: the demo decides from it who has investigated what. */

import { openDataset } from '../../../src/node/dataset-files.ts'
import { ATTACK } from '../../../src/telemetry/dataset.ts'

/** Attack rows of each family before `trainUntil` (seconds since the epoch). */
export async function familiesBefore(datasetDirectory: string, trainUntil: number): Promise<Record<string, number>> {
  const { info, rows, close } = await openDataset(datasetDirectory)
  await close()
  const counts = new Map<string, number>()
  for (let row = 0; row < rows.length; row++) {
    if (rows.label(row) !== ATTACK || rows.time(row) >= trainUntil) continue
    const family = info.techniques[rows.technique(row)] ?? ''
    counts.set(family, (counts.get(family) ?? 0) + 1)
  }
  return Object.fromEntries(counts)
}
