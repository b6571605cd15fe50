/** The threads of evaluate.ts: train one model, or score the later slice of one organisation by several scorers. */

import { createModel } from '../models/model.ts'
import { openDataset } from './dataset-files.ts'
import type { ScoreTask, ScoredSlice, TrainedModel, TrainTask } from './evaluate-tasks.ts'
import { loadKernels } from './kernels.ts'
import { scoreLaterSlice } from './score-later-slice.ts'
import { gatherMatrix, selectRows } from './training-matrix.ts'
import { type Answer, serveCalls } from './worker-server.ts'

const kernels = loadKernels()

async function train(task: TrainTask, onProgress: (progress: number) => void): Promise<Answer> {
  const datasets = await Promise.all(task.data.map(({ directory }) => openDataset(directory)))
  try {
    const parts = task.data.map((data, i) => {
      const dataset = datasets[i]
      return dataset === undefined ? [] : [{ dataset, selected: selectRows(dataset, data, task.rowsMax) }]
    })
    const matrix = await gatherMatrix(parts.flat())
    const model = createModel(task.spec, kernels)
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
