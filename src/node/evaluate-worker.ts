/** The threads of evaluate.ts: train one model, or score the later slice of one organisation by several scorers. */

import { fail } from '../base/errors.ts'
import { createModel, type ThreatModelSpec } from '../models/model.ts'
import { type OpenDataset, openDataset } from './dataset-files.ts'
import type { ScoreTask, ScoredSlice, TrainedModel, TrainTask } from './evaluate-tasks.ts'
import { loadKernels } from './kernels.ts'
import { gatherLinkMatrix } from './link-matrix.ts'
import { selectOrNone } from './local-work.ts'
import { scoreLaterSlice } from './score-later-slice.ts'
import { gatherMatrix, type LabelledData, type TrainingMatrix } from './training-matrix.ts'
import { type Answer, serveCalls } from './worker-server.ts'

const kernels = loadKernels()

async function train(task: TrainTask, onProgress: (progress: number) => void): Promise<Answer> {
  const datasets = await Promise.all(task.data.map(({ directory }) => openDataset(directory)))
  try {
    const model = createModel(task.spec, kernels)
    const matrix = await pooledMatrix(datasets, task, model.spec)
    try {
      const start = model.initialise(task.options.seed)
      const { parameters } = model.train(start, matrix, task.options, (epoch) =>
        onProgress((epoch + 1) / task.options.epochs),
      )
      const result: TrainedModel = { parameters, families: matrix.families, rows: matrix.rows }
      return { result, transfer: [parameters.buffer as ArrayBuffer] }
    } finally {
      matrix.features.close()
    }
  } finally {
    for (const dataset of datasets) await dataset.close()
  }
}

/** Nothing of an organisation that knows nothing before the cut: the others' rows are trained on without it. */
function pooledMatrix(
  datasets: readonly OpenDataset[],
  { data, options, rowsMax }: TrainTask,
  spec: ThreatModelSpec,
): Promise<TrainingMatrix> {
  const directory = data[0]?.directory ?? fail('internal', 'no data set was named')
  const parts = datasets.map((dataset, i) => ({ dataset, data: data[i] as LabelledData }))
  if (options.objective === 'link') {
    if (spec.kind !== 'tgnn') fail('model-invalid', 'a perceptron does not learn links')
    return gatherLinkMatrix(parts, spec, rowsMax, directory)
  }
  const labelled = parts.flatMap(({ dataset, data: of }) => {
    const selected = selectOrNone(dataset, of, rowsMax)
    return selected === undefined ? [] : [{ dataset, selected }]
  })
  if (labelled.length === 0) fail('no-data', 'no interaction before the cut has a label that anyone here knows')
  return gatherMatrix(labelled, spec, directory)
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
