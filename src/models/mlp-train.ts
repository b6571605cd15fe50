/** Local training of the perceptron: seeded minibatches, weighted logistic loss, Adam or SGD, FedProx. */

import { fail } from '../base/errors.ts'
import { prng, shuffle } from '../base/prng.ts'
import type { Kernels } from './kernels/kernels.ts'
import type { MlpPlan } from './mlp.ts'
import { type Activations, allocateActivations, forward } from './mlp-score.ts'
import type { LabelledBatchSource, TrainOptions, TrainResult } from './model.ts'
import { createOptimiser } from './optimiser.ts'

/** A class ratio of a thousand would let a handful of rows decide a step. */
export const POSITIVE_WEIGHT_MAX = 10

/** Negatives over positives, between 1 and {@link POSITIVE_WEIGHT_MAX}. */
export function defaultPositiveWeight(labels: Uint8Array): number {
  let positives = 0
  for (const label of labels) positives += label
  return positives === 0 ? 1 : Math.min(POSITIVE_WEIGHT_MAX, Math.max(1, (labels.length - positives) / positives))
}

export function trainMlp(
  plan: MlpPlan,
  kernels: Kernels,
  start: Float32Array,
  data: LabelledBatchSource,
  options: TrainOptions,
  onEpoch?: (epoch: number, loss: number) => void,
): TrainResult {
  checkData(plan, data, options)
  const session = openSession(plan, kernels, start, Math.min(options.batchSize, data.rows))
  try {
    return runEpochs(session, data, options, onEpoch)
  } finally {
    session.release()
  }
}

function checkData(plan: MlpPlan, data: LabelledBatchSource, options: TrainOptions): void {
  const { rows, width, features, labels, weights } = data
  if (rows < 1) fail('no-data', 'there is no row to train on')
  if (width !== plan.spec.inputs)
    fail('wrong-shape', `the model takes ${plan.spec.inputs} features, the rows have ${width}`)
  if (features.length !== rows * width || labels.length !== rows || (weights !== undefined && weights.length !== rows))
    fail('wrong-shape', 'features, labels and weights are not of the same number of rows')
  for (const [name, value] of Object.entries({ epochs: options.epochs, batchSize: options.batchSize }))
    if (!Number.isInteger(value) || value < 1) fail('invalid-request', `${name} must be a positive integer`)
  if (!(options.learningRate > 0) || !(options.proximalMu >= 0))
    fail('invalid-request', 'learningRate must be positive and proximalMu not negative')
}

/** Everything of one training that lives in the kernels' memory. */
interface Session {
  readonly plan: MlpPlan
  readonly kernels: Kernels
  readonly batchSize: number
  readonly activations: Activations
  /** Gradients by the activations. */
  readonly deltas: Activations
  readonly parameters: number
  readonly gradient: number
  readonly anchor: number
  readonly moments: number
  readonly labels: number
  readonly weights: number
  release(): void
}

function openSession(plan: MlpPlan, kernels: Kernels, start: Float32Array, batchSize: number): Session {
  const { arena } = kernels
  const blocks: number[] = []
  const take = (elements: number): number => {
    const offset = arena.allocate(4 * elements)
    blocks.push(offset)
    return offset
  }
  const n = plan.parameterCount
  const activations = allocateActivations(plan, kernels, batchSize)
  const deltas = allocateActivations(plan, kernels, batchSize)
  const [parameters, gradient, anchor, moments] = [take(n), take(n), take(n), take(2 * n)]
  const [labels, weights] = [take(batchSize), take(batchSize)]
  arena.float32(parameters, n).set(start)
  arena.float32(anchor, n).set(start)
  arena.float32(moments, 2 * n).fill(0)
  function release(): void {
    activations.release()
    deltas.release()
    for (const block of blocks) arena.release(block)
  }
  return {
    plan,
    kernels,
    batchSize,
    activations,
    deltas,
    parameters,
    gradient,
    anchor,
    moments,
    labels,
    weights,
    release,
  }
}

function runEpochs(
  session: Session,
  data: LabelledBatchSource,
  options: TrainOptions,
  onEpoch?: (epoch: number, loss: number) => void,
): TrainResult {
  const { kernels, plan, parameters, batchSize } = session
  const positiveWeight = options.positiveWeight ?? defaultPositiveWeight(data.labels)
  const optimiser = createOptimiser(kernels.raw, session, plan.parameterCount, options)
  const order = Uint32Array.from({ length: data.rows }, (_, row) => row)
  const random = prng(`train/${options.seed}`)
  let loss = 0
  let steps = 0
  for (let epoch = 0; epoch < options.epochs; epoch++) {
    shuffle(order, random)
    let lossSum = 0
    let weightSum = 0
    for (let from = 0; from < data.rows; from += batchSize) {
      const batch = order.subarray(from, from + batchSize)
      const batchWeight = loadBatch(session, data, batch, positiveWeight)
      lossSum += gradientOfBatch(session, batch.length, batchWeight)
      weightSum += batchWeight
      optimiser.step()
      steps++
    }
    loss = weightSum > 0 ? lossSum / weightSum : 0
    onEpoch?.(epoch, loss)
  }
  const trained = kernels.arena.float32(parameters, plan.parameterCount).slice()
  if (!Number.isFinite(loss) || kernels.raw.finite(parameters, plan.parameterCount) === 0)
    fail('not-finite', 'training diverged: lower the learning rate')
  return { parameters: trained, loss, steps }
}

/** Copies the rows of a batch into the kernels' memory; returns the sum of their weights. */
function loadBatch(session: Session, data: LabelledBatchSource, batch: Uint32Array, positiveWeight: number): number {
  const { kernels, activations } = session
  const { width, features } = data
  const input = kernels.arena.float32(activations.offsets[0] ?? 0, batch.length * width)
  const labels = kernels.arena.bytes(session.labels, batch.length)
  const weights = kernels.arena.float32(session.weights, batch.length)
  let sum = 0
  for (let i = 0; i < batch.length; i++) {
    const row = batch[i] ?? 0
    const label = data.labels[row] ?? 0
    const weight = Math.fround((data.weights?.[row] ?? 1) * (label === 1 ? positiveWeight : 1))
    for (let c = 0, from = row * width, to = i * width; c < width; c++) input[to + c] = features[from + c] ?? 0
    labels[i] = label
    weights[i] = weight
    sum += weight
  }
  return sum
}

/** Gradient of the weighted mean loss of the loaded batch by all parameters; returns the weighted sum of losses. */
function gradientOfBatch(session: Session, rows: number, weightSum: number): number {
  const { plan, kernels, activations, deltas, parameters, gradient } = session
  const { raw, scratch } = kernels
  forward(plan, kernels, parameters, activations, rows)
  const logits = activations.offsets.at(-1) ?? 0
  const scale = weightSum > 0 ? 1 / weightSum : 0
  const loss = raw.logisticLoss(logits, session.labels, session.weights, deltas.offsets.at(-1) ?? 0, rows, scale)
  for (let i = plan.layers.length - 1; i >= 0; i--) {
    const layer = plan.layers[i]
    if (layer === undefined) continue
    const { inputs, outputs } = layer
    const input = activations.offsets[i] ?? 0
    const delta = deltas.offsets[i + 1] ?? 0
    raw.columnSums(delta, gradient + 4 * layer.bias, rows, outputs)
    raw.gemm(input, 1, inputs, delta, outputs, 1, gradient + 4 * layer.weights, inputs, outputs, rows, 0, scratch)
    if (i === 0) continue
    const below = deltas.offsets[i] ?? 0
    raw.gemm(delta, outputs, 1, parameters + 4 * layer.weights, 1, outputs, below, rows, inputs, outputs, 0, scratch)
    raw.reluBackward(below, input, rows * inputs)
  }
  return loss
}
