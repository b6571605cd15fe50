/** Models of the default size: scoring with the kernels and with the optional accelerator, and training. */

import { prng } from '../src/base/prng.ts'
import type { Accelerator } from '../src/models/accelerator.ts'
import { createModel, type ThreatModelSpec } from '../src/models/model.ts'
import { planTgnn } from '../src/models/tgnn/plan.ts'
import { openAccelerator } from '../src/node/accelerator.ts'
import { defaultModel, MODEL_KINDS } from '../src/node/default-model.ts'
import { startKernelThreads } from '../src/node/kernel-threads.ts'
import { loadKernels } from '../src/node/kernels.ts'
import { perRepeat, perRepeatByClock, TIMES } from './kernels-timing.ts'
import { sideBySide } from './measure.ts'
import { type Row, rate, type Section, skipped } from './report.ts'

const ROWS = 8192
const REPEATS = 3

const inputsOf = (spec: ThreatModelSpec): number => (spec.kind === 'mlp' ? spec.inputs : planTgnn(spec).inputs)

export async function benchAccelerator(seed: string, runs: number): Promise<Section> {
  const accelerator = await openAccelerator().catch(() => undefined)
  const rows: Row[] = []
  for (const spec of MODEL_KINDS.map(defaultModel)) rows.push(...(await benchScoring(spec, seed, runs, accelerator)))
  for (const spec of MODEL_KINDS.map(defaultModel)) rows.push(await benchTraining(spec, seed, runs))
  const setting = `${ROWS} rows, models of the default size, a row being an edge; ${TIMES}; ${accelerator?.name ?? 'ONNX Runtime missing'}; seed ${seed}`
  return { title: 'Models: scoring and training a row', setting, rows }
}

/** One epoch in batches of 1024, with Adam. */
async function benchTraining(spec: ThreatModelSpec, seed: string, runs: number): Promise<Row> {
  const random = prng(`bench/training/${seed}`)
  const model = createModel(spec, loadKernels())
  const parameters = model.initialise(seed)
  const width = inputsOf(spec)
  const features = Float32Array.from({ length: ROWS * width }, () => random.uniform() * 4 - 1)
  const labels = Uint8Array.from({ length: ROWS }, () => random.below(2))
  const options = { epochs: 1, batchSize: 1024, learningRate: 1e-3, optimiser: 'adam', proximalMu: 0, seed } as const
  const { training } = await sideBySide(
    { training: perRepeat(() => model.train(parameters, { rows: ROWS, width, features, labels }, options), 1) },
    runs,
  )
  return rate(`${nameOf(spec)}, training with the kernels`, ROWS, 'row', training)
}

const nameOf = ({ kind }: ThreatModelSpec): string => (kind === 'mlp' ? 'Perceptron' : 'Graph network')

async function benchScoring(
  spec: ThreatModelSpec,
  seed: string,
  runs: number,
  accelerator: Accelerator | undefined,
): Promise<Row[]> {
  const random = prng(`bench/accelerator/${seed}`)
  const model = createModel(spec, loadKernels())
  const two = startKernelThreads(2)
  const together = createModel(spec, two.kernels)
  const parameters = model.initialise(seed)
  const features = Float32Array.from({ length: ROWS * inputsOf(spec) }, () => random.uniform() * 4 - 1)
  const accelerated = await accelerator?.load(model.spec, parameters)
  const { kernels, threads, runtime } = await sideBySide(
    {
      kernels: perRepeat(() => model.score(parameters, features, ROWS), REPEATS),
      threads: perRepeatByClock(() => together.score(parameters, features, ROWS), REPEATS),
      runtime: accelerated && perRepeat(() => accelerated.score(features, ROWS), REPEATS),
    },
    runs,
  )
  await Promise.all([accelerated?.close(), two.close()])
  const name = nameOf(spec)
  return [
    rate(`${name}, kernels`, ROWS, 'row', kernels),
    rate(`${name}, kernels on two threads`, ROWS, 'row', threads),
    runtime === undefined
      ? skipped(`${name}, ONNX Runtime`, 'the optional package onnxruntime-node is not installed')
      : rate(`${name}, ONNX Runtime`, ROWS, 'row', runtime),
  ]
}
