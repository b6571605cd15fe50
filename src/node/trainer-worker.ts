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
import type { TrainRequest, ValidateRequest } from './training.ts'
import { heldOut, type HeldOut, tryOn } from './held-out.ts'
import { type Answer, serveCalls } from './worker-server.ts'

const data = workerData as TrainingGround
/** No data where the module is only compiled. The threads end with this one. */
const threads = (workerData as TrainingGround | null)?.threads ?? 1
const kernels = threads > 1 ? startKernelThreads(threads).kernels : loadKernels()
/** One matrix at most, with what it was made from. */
let kept: { readonly key: string; readonly work: LocalWork } | undefined

/** Changes when the organisation ingests its logs again. */
async function matrixKey({ rowsMax, spec, objective, privately }: TrainRequest): Promise<string> {
  return canonicalJson([rowsMax, spec, objective ?? null, privately?.rowsPerHost ?? null, ...(await rowsVersion())])
}

/** Size and time of the data set's rows. */
async function rowsVersion(): Promise<[number, number]> {
  const { size, mtimeMs } = await stat(join(data.directory, DATASET_FILES.rows)).catch(() => ({ size: -1, mtimeMs: 0 }))
  return [size, mtimeMs]
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

/** One at most, as of the matrix: the rows are the same in every round. */
let heldOutRows: { readonly key: string; readonly held: HeldOut } | undefined

async function validate({ spec, before, after }: ValidateRequest): Promise<Answer> {
  if (spec.kind === 'policy') return { result: { rows: 0, gain: 0 } }
  const key = canonicalJson([spec, ...(await rowsVersion())])
  if (heldOutRows?.key !== key) heldOutRows = { key, held: await heldOut(data, spec) }
  return { result: tryOn(createModel(spec, kernels), heldOutRows.held, before, after) }
}

serveCalls((request: TrainRequest | ValidateRequest) => ('before' in request ? validate(request) : train(request)))
