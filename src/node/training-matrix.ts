/** The rows that an organisation trains on, gathered from its data set into one matrix. */

import type { TrainingSource, ThreatModelSpec } from '../models/model.ts'
import { ATTACK } from '../telemetry/dataset.ts'
import { type TrainingRows, trainingRows } from '../telemetry/training-rows.ts'
import type { OpenDataset } from './dataset-files.ts'
import { modelWidth, readModelRows, type TakeRows } from './model-rows.ts'
import { boundHosts } from './rows-per-host.ts'
import { filledRowFile, type RowFile } from './row-file.ts'

/** What an organisation knows: where its data set is, what is past, and which attack families it investigated. */
export interface LabelledData {
  readonly directory: string
  /** Seconds since the epoch; interactions from then on are never trained on. Null = no limit. */
  readonly trainUntil: number | null
  readonly families: readonly string[] | 'all'
}

export interface TrainingMatrix extends TrainingSource {
  readonly features: RowFile
  readonly positives: number
  /** Attack families among the rows. */
  readonly families: readonly string[]
}

/**
 * The same rows at every round, so that the matrix can be kept: only the order in which they are visited is seeded by the
 * round.
 * @throws no-data when no row before the cut has a label that the organisation knows
 */
export function selectRows(
  dataset: OpenDataset,
  data: LabelledData,
  rowsMax: number,
  rowsPerHost?: number,
): TrainingRows {
  const { trainUntil, families } = data
  const options = { trainUntil, families, rowsMax, seed: 'entente' }
  const selected = trainingRows(dataset.rows, dataset.info.techniques, options)
  return rowsPerHost === undefined ? selected : boundHosts(dataset, selected, rowsPerHost)
}

/**
 * One matrix of the rows selected of several data sets, in order. Whoever asks closes its file, which is in `directory`.
 * @throws wrong-shape if the model takes other columns; storage-full
 */
export async function gatherMatrix(
  parts: readonly { dataset: OpenDataset; selected: TrainingRows }[],
  spec: ThreatModelSpec,
  directory: string,
): Promise<TrainingMatrix> {
  const width = modelWidth(spec)
  const rows = parts.reduce((sum, { selected }) => sum + selected.rows.length, 0)
  const labels = new Uint8Array(rows)
  let at = 0
  const features = await filledRowFile(directory, async (file) => {
    for (const { dataset, selected } of parts) {
      const take: TakeRows = (block, _from, count) => file.append(block.subarray(0, count * width))
      await readModelRows(dataset, spec, selected.rows, take)
      for (const row of selected.rows) labels[at++] = dataset.rows.label(row) === ATTACK ? 1 : 0
    }
  })
  const positives = parts.reduce((sum, { selected }) => sum + selected.positives, 0)
  const families = [...new Set(parts.flatMap(({ selected }) => Object.keys(selected.families)))].toSorted()
  return { rows, width, features, labels, positives, families }
}
