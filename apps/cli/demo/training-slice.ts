/** What an organisation's training slice holds: the demo decides from it who has investigated what. */

import { openDataset } from '../../../src/node/dataset-files.ts'
import { ATTACK, BENIGN } from '../../../src/telemetry/dataset.ts'

export interface TrainingSlice {
  /** Whether labelled or not. */
  readonly rows: number
  /** Attack rows of each family. */
  readonly families: Readonly<Record<string, number>>
  readonly benign: number
}

/** Rows before `trainUntil` (seconds since the epoch). */
export async function trainingSlice(datasetDirectory: string, trainUntil: number): Promise<TrainingSlice> {
  const { info, rows, close } = await openDataset(datasetDirectory)
  await close()
  const families = new Map<string, number>()
  let benign = 0
  let before = 0
  for (let row = 0; row < rows.length; row++) {
    if (rows.time(row) >= trainUntil) continue
    before++
    if (rows.label(row) === BENIGN) benign++
    if (rows.label(row) !== ATTACK) continue
    const family = info.techniques[rows.technique(row)] ?? ''
    families.set(family, (families.get(family) ?? 0) + 1)
  }
  return { rows: before, families: Object.fromEntries(families), benign }
}
