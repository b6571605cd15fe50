/** The rows that an organisation trains on, gathered from its data set into one matrix. */

import { fail } from '../base/errors.ts'
import type { LabelledBatchSource } from '../models/model.ts'
import { ATTACK } from '../telemetry/dataset.ts'
import { type TrainingRows, trainingRows } from '../telemetry/training-rows.ts'
import type { OpenDataset } from './dataset-files.ts'

/** What an organisation knows: where its data set is, what is past, and which attack families it investigated. */
export interface LabelledData {
  readonly directory: string
  /** Seconds since the epoch; interactions from then on are never trained on. Null = no limit. */
  readonly trainUntil: number | null
  readonly families: readonly string[] | 'all'
}

export interface TrainingMatrix extends LabelledBatchSource {
  readonly positives: number
  /** Attack families among the rows. */
  readonly families: readonly string[]
}

/** Rows of features that are read at a time. */
const BLOCK_ROWS = 8192

/**
 * The same rows at every round, so that the matrix can be kept: only the order in which they are visited is seeded by the
 * round.
 * @throws no-data when no row before the cut has a label that the organisation knows
 */
export function selectRows(dataset: OpenDataset, data: LabelledData, rowsMax: number): TrainingRows {
  const { trainUntil, families } = data
  return trainingRows(dataset.rows, dataset.info.techniques, { trainUntil, families, rowsMax, seed: 'entente' })
}

/** One matrix of the rows selected of several data sets, in order. @throws wrong-shape if their features differ */
export async function gatherMatrix(
  parts: readonly { dataset: OpenDataset; selected: TrainingRows }[],
): Promise<TrainingMatrix> {
  const width = parts[0]?.dataset.width ?? 0
  const rows = parts.reduce((sum, { selected }) => sum + selected.rows.length, 0)
  const features = new Float32Array(rows * width)
  const labels = new Uint8Array(rows)
  let at = 0
  for (const { dataset, selected } of parts) {
    if (dataset.width !== width) fail('wrong-shape', `data sets of ${width} and ${dataset.width} features do not mix`)
    await gatherFeatures(dataset, selected.rows, features.subarray(at * width))
    for (const row of selected.rows) labels[at++] = dataset.rows.label(row) === ATTACK ? 1 : 0
  }
  const positives = parts.reduce((sum, { selected }) => sum + selected.positives, 0)
  const families = [...new Set(parts.flatMap(({ selected }) => Object.keys(selected.families)))].toSorted()
  return { rows, width, features, labels, positives, families }
}

/** Copies the features of ascending row numbers, reading the file in blocks. */
async function gatherFeatures(dataset: OpenDataset, rows: Uint32Array, into: Float32Array): Promise<void> {
  const { width } = dataset
  const block = new Float32Array(BLOCK_ROWS * width)
  let at = 0
  while (at < rows.length) {
    const first = rows[at] ?? 0
    const count = Math.min(BLOCK_ROWS, dataset.rows.length - first)
    await dataset.readFeatures(first, count, block)
    for (; at < rows.length && (rows[at] ?? 0) < first + count; at++) {
      const from = ((rows[at] ?? 0) - first) * width
      into.set(block.subarray(from, from + width), at * width)
    }
  }
}
