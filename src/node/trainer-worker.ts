/** The thread of trainer.ts: keeps the kernels and the training matrix between rounds, so that only round one reads files. */

import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { workerData } from 'node:worker_threads'
import { canonicalJson } from '../base/canonical.ts'
import { createModel, type ThreatModelSpec } from '../models/model.ts'
import { DATASET_FILES } from '../telemetry/dataset.ts'
import { openDataset } from './dataset-files.ts'
import { loadKernels } from './kernels.ts'
import { trainPolicyLocally } from './policy/train-policy.ts'
import type { TrainingGround } from './trainer.ts'
import type { TrainRequest } from './training.ts'
import { gatherMatrix, selectRows, type TrainingMatrix } from './training-matrix.ts'
import { type Answer, serveCalls } from './worker-server.ts'

const data = workerData as TrainingGround
const kernels = loadKernels()
/** One matrix at most, with what it was made from. */
let kept: { readonly key: string; readonly matrix: TrainingMatrix } | undefined

/** Changes when the organisation ingests its logs again. */
async function matrixKey({ rowsMax, spec }: TrainRequest): Promise<string> {
  const { size, mtimeMs } = await stat(join(data.directory, DATASET_FILES.rows)).catch(() => ({ size: -1, mtimeMs: 0 }))
  return canonicalJson([rowsMax, spec, size, mtimeMs])
}

async function matrixFor(request: TrainRequest, spec: ThreatModelSpec): Promise<TrainingMatrix> {
  const key = await matrixKey(request)
  if (kept?.key === key) return kept.matrix
  kept = undefined
  const dataset = await openDataset(data.directory)
  try {
    const matrix = await gatherMatrix([{ dataset, selected: selectRows(dataset, data, request.rowsMax) }], spec)
    kept = { key, matrix }
    return matrix
  } finally {
    await dataset.close()
  }
}

async function train(request: TrainRequest): Promise<Answer> {
  if (request.spec.kind === 'policy') {
    const result = await trainPolicyLocally(request.spec, request, data.response, kernels)
    return { result, transfer: [result.parameters.buffer as ArrayBuffer] }
  }
  const model = createModel(request.spec, kernels)
  const matrix = await matrixFor(request, model.spec)
  const { parameters, loss } = model.train(request.parameters, matrix, request)
  const summary = { sampleCount: matrix.rows, positives: matrix.positives, loss }
  return { result: { parameters, summary }, transfer: [parameters.buffer as ArrayBuffer] }
}

serveCalls(train)
