/** The threads of evaluate.ts: train one model, or score the later slice of one organisation by several scorers. */

import { createModel } from '../models/model.ts'
import { EntenteError, fail } from '../base/errors.ts'
import { type OpenDataset, openDataset } from './dataset-files.ts'
import type { ScoreTask, ScoredSlice, TrainedModel, TrainTask } from './evaluate-tasks.ts'
import { loadKernels } from './kernels.ts'
import { scoreLaterSlice } from './score-later-slice.ts'
import { gatherMatrix, type LabelledData, selectRows } from './training-matrix.ts'
import { type Answer, serveCalls } from './worker-server.ts'

const kernels = loadKernels()

async function train(task: TrainTask, onProgress: (progress: number) => void): Promise<Answer> {
  const datasets = await Promise.all(task.data.map(({ directory }) => openDataset(directory)))
  try {
    const parts = task.data.flatMap((data, i) => partOf(datasets[i], data, task.rowsMax))
    if (parts.length === 0) fail('no-data', 'no interaction before the cut has a label that anyone here knows')
    const model = createModel(task.spec, kernels)
    const matrix = await gatherMatrix(parts, model.spec)
    const start = model.initialise(task.options.seed)
    const { parameters } = model.train(start, matrix, task.options, (epoch) =>
      onProgress((epoch + 1) / task.options.epochs),
    )
    const result: TrainedModel = { parameters, families: matrix.families, rows: matrix.rows }
    return { result, transfer: [parameters.buffer as ArrayBuffer] }
  } finally {
    for (const dataset of datasets) await dataset.close()
  }
}

/** Nothing of an organisation that knows nothing before the cut: the others' rows are trained on without it. */
function partOf(
  dataset: OpenDataset | undefined,
  data: LabelledData,
  rowsMax: number,
): Parameters<typeof gatherMatrix>[0] {
  if (dataset === undefined) return []
  try {
    return [{ dataset, selected: selectRows(dataset, data, rowsMax) }]
  } catch (error) {
    if (error instanceof EntenteError && error.code === 'no-data') return []
    throw error
  }
}

async function score(task: ScoreTask, onProgress: (progress: number) => void): Promise<Answer> {
  const dataset = await openDataset(task.directory)
  try {
    const model = createModel(task.spec, kernels)
    const result: ScoredSlice = await scoreLaterSlice(dataset, model, task, onProgress)
    const arrays = [result.kinds, result.triples, ...Object.values(result.scores)]
    return { result, transfer: arrays.map((array) => array.buffer as ArrayBuffer) }
  } finally {
    await dataset.close()
  }
}

serveCalls((task: TrainTask | ScoreTask, onProgress) =>
  task.type === 'train' ? train(task, onProgress) : score(task, onProgress),
)
