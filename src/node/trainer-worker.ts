/** The thread of trainer.ts: keeps the kernels and the training matrix between rounds, so that only round one reads files. */

import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { workerData } from 'node:worker_threads'
import { canonicalJson } from '../base/canonical.ts'
import { fail } from '../base/errors.ts'
import { createModel, type ThreatModelSpec } from '../models/model.ts'
import { DATASET_FILES } from '../telemetry/dataset.ts'
import { openDataset } from './dataset-files.ts'
import { startKernelThreads } from './kernel-threads.ts'
import { loadKernels } from './kernels.ts'
import { privateOptions } from './private-randomness.ts'
import { gatherWork, type LocalWork } from './local-work.ts'
import { trainPolicyLocally } from './policy/train-policy.ts'
import type { TrainingGround } from './trainer.ts'
import type { TrainRequest } from './training.ts'
import { type Answer, serveCalls } from './worker-server.ts'

const data = workerData as TrainingGround
/** No data where the module is only compiled. The threads end with this one. */
const threads = (workerData as TrainingGround | null)?.threads ?? 1
const kernels = threads > 1 ? startKernelThreads(threads).kernels : loadKernels()
/** One matrix at most, with what it was made from. */
let kept: { readonly key: string; readonly work: LocalWork } | undefined

/** Changes when the organisation ingests its logs again. */
async function matrixKey({ rowsMax, spec, objective, privately }: TrainRequest): Promise<string> {
  const { size, mtimeMs } = await stat(join(data.directory, DATASET_FILES.rows)).catch(() => ({ size: -1, mtimeMs: 0 }))
  return canonicalJson([rowsMax, spec, objective ?? null, privately?.rowsPerHost ?? null, size, mtimeMs])
}

async function workFor(request: TrainRequest, spec: ThreatModelSpec): Promise<LocalWork> {
  const key = await matrixKey(request)
  if (kept?.key === key) return kept.work
  kept?.work.matrix.features.close()
  kept = undefined
  const dataset = await openDataset(data.directory)
  try {
    const work = await gatherWork(dataset, data, request, spec)
    kept = { key, work }
    return work
  } finally {
    await dataset.close()
  }
}

async function train(request: TrainRequest): Promise<Answer> {
  if (request.spec.kind === 'policy') {
    if (request.privately !== undefined) fail('not-available', 'a response policy is not trained on rows to protect')
    const result = await trainPolicyLocally(request.spec, request, data.response, kernels)
    return { result, transfer: [result.parameters.buffer as ArrayBuffer] }
  }
  const model = createModel(request.spec, kernels)
  const { matrix, objective } = await workFor(request, model.spec)
  const { privately, ...options } = request
  const trained = model.train(request.parameters, matrix, { ...options, objective, ...privateOptions(privately) })
  const { parameters, loss, mechanism } = trained
  const summary = { sampleCount: matrix.rows, positives: matrix.positives, loss, ...(mechanism && { mechanism }) }
  return { result: { parameters, summary }, transfer: [parameters.buffer as ArrayBuffer] }
}

serveCalls(train)
