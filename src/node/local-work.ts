/** What an organisation trains on: rows whose labels it knows, or, if it knows none, links. */

import { EntenteError, fail } from '../base/errors.ts'
import type { Objective, ThreatModelSpec } from '../models/model.ts'
import type { OpenDataset } from './dataset-files.ts'
import { gatherLinkMatrix } from './link-matrix.ts'
import type { TrainRequest } from './training.ts'
import { gatherMatrix, type LabelledData, selectRows, type TrainingMatrix } from './training-matrix.ts'

export interface LocalWork {
  readonly matrix: TrainingMatrix
  readonly objective: Objective
}

/** @throws no-data if there is no row before the cut, or none with a label and the model learns from labels alone */
export async function gatherWork(
  dataset: OpenDataset,
  data: LabelledData,
  { rowsMax, objective = 'supervised', privately }: Pick<TrainRequest, 'rowsMax' | 'objective' | 'privately'>,
  spec: ThreatModelSpec,
): Promise<LocalWork> {
  if (objective === 'link' && spec.kind !== 'tgnn') fail('model-invalid', 'a perceptron does not learn links')
  if (privately !== undefined && objective === 'link')
    fail('not-available', 'learning links from single rows has no privacy of rows: each link makes two of them')
  if (objective === 'supervised') {
    const selected = selectOrNone(dataset, data, rowsMax, privately?.rowsPerHost)
    if (selected !== undefined)
      return { matrix: await gatherMatrix([{ dataset, selected }], spec, data.directory), objective }
  }
  if (spec.kind !== 'tgnn' || privately !== undefined)
    fail('no-data', 'no interaction before the cut has a label that this organisation knows')
  return { matrix: await gatherLinkMatrix([{ dataset, data }], spec, rowsMax, data.directory), objective: 'link' }
}

/** The rows whose labels an organisation knows; undefined if it knows none. */
export function selectOrNone(
  dataset: OpenDataset,
  data: LabelledData,
  rowsMax: number,
  rowsPerHost?: number,
): ReturnType<typeof selectRows> | undefined {
  try {
    return selectRows(dataset, data, rowsMax, rowsPerHost)
  } catch (error) {
    if (error instanceof EntenteError && error.code === 'no-data') return undefined
    throw error
  }
}
