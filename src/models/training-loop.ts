/** Local training of any model: seeded minibatches, weighted logistic loss, Adam or SGD, FedProx. */

import { fail } from '../base/errors.ts'
import { prng, shuffle } from '../base/prng.ts'
import { trainPrivately } from './dp-sgd/train-privately.ts'
import type { Kernels } from './kernels/kernels.ts'
import type { TrainingSource, TrainOptions, TrainResult } from './model.ts'
import { createOptimiser, type OptimiserMemory } from './optimiser.ts'

/** A class ratio of a thousand would let a handful of rows decide a step. */
export const POSITIVE_WEIGHT_MAX = 10

/** Negatives over positives, between 1 and {@link POSITIVE_WEIGHT_MAX}. */
export function defaultPositiveWeight(labels: Uint8Array): number {
  let positives = 0
  for (const label of labels) positives += label
  return positives === 0 ? 1 : Math.min(POSITIVE_WEIGHT_MAX, Math.max(1, (labels.length - positives) / positives))
}

/** @throws no-data, wrong-shape, invalid-request */
export function checkTraining(width: number, data: TrainingSource, options: TrainOptions): void {
  const { rows, features, labels, weights } = data
  if (rows < 1) fail('no-data', 'there is no row to train on')
  if (data.width !== width) fail('wrong-shape', `the model takes ${width} features, the rows have ${data.width}`)
  if (features.length !== rows * width || labels.length !== rows || (weights !== undefined && weights.length !== rows))
    fail('wrong-shape', 'features, labels and weights are not of the same number of rows')
  const { epochs, batchSize, rowsPerEpoch } = options
  for (const [name, value] of Object.entries({ epochs, batchSize, rowsPerEpoch: rowsPerEpoch ?? rows }))
    if (!Number.isInteger(value) || value < 1) fail('invalid-request', `${name} must be a positive integer`)
  if (!(options.learningRate > 0) || !(options.proximalMu >= 0))
    fail('invalid-request', 'learningRate must be positive and proximalMu not negative')
}

/** Rows of a batch with their loss weights, whose sum is `weightSum`. */
export interface Batch {
  readonly rows: Uint32Array
  readonly weights: Float32Array
  readonly weightSum: number
}

/** What a model brings: the gradient of the weighted mean loss of a batch, and what it holds of the kernels' memory. */
export interface Trainee {
  /** Writes the gradient; returns the weighted sum of the losses. */
  gradientOf(batch: Batch): number
  release(): void
}

/** Elements of the parameters that training may move. */
export interface TrainableRange {
  readonly from: number
  readonly count: number
}

/**
 * Trains `start`, which is left as it is. `open` is given the offsets of the parameters and of the gradient.
 * @throws not-finite when training diverged
 */
export function trainInBatches(
  kernels: Kernels,
  start: Float32Array,
  trainable: TrainableRange,
  data: TrainingSource,
  options: TrainOptions,
  open: (parameters: number, gradient: number) => Trainee,
  onEpoch?: (epoch: number, loss: number) => void,
): TrainResult {
  const memory = allocate(kernels, start)
  const trainee = open(memory.parameters, memory.gradient)
  try {
    const ran = run(kernels, memory, trainable, trainee, data, options, onEpoch)
    const parameters = arenaCopy(kernels, memory.parameters, start.length)
    if (!Number.isFinite(ran.loss) || kernels.raw.finite(memory.parameters, start.length) === 0)
      fail('not-finite', 'training diverged: lower the learning rate')
    return { parameters, ...ran }
  } finally {
    trainee.release()
    memory.release()
  }
}

function allocate(kernels: Kernels, start: Float32Array): OptimiserMemory & { release(): void } {
  const { arena } = kernels
  const n = start.length
  const blocks = [n, n, n, 2 * n].map((elements) => arena.allocate(4 * elements))
  const [parameters = 0, gradient = 0, anchor = 0, moments = 0] = blocks
  arena.float32(parameters, n).set(start)
  arena.float32(anchor, n).set(start)
  arena.float32(moments, 2 * n).fill(0)
  return { parameters, gradient, anchor, moments, release: () => blocks.forEach((block) => arena.release(block)) }
}

const arenaCopy = ({ arena }: Kernels, offset: number, n: number): Float32Array => arena.float32(offset, n).slice()

function run(
  kernels: Kernels,
  memory: OptimiserMemory,
  { from, count }: TrainableRange,
  trainee: Trainee,
  data: TrainingSource,
  options: TrainOptions,
  onEpoch?: (epoch: number, loss: number) => void,
): Omit<TrainResult, 'parameters'> {
  const part = shifted(memory, 4 * from)
  return options.privately === undefined
    ? runEpochs(kernels, part, count, trainee, data, options, onEpoch)
    : trainPrivately(kernels, part, count, trainee, data, options, options.privately)
}

function runEpochs(
  kernels: Kernels,
  memory: OptimiserMemory,
  count: number,
  trainee: Trainee,
  data: TrainingSource,
  options: TrainOptions,
  onEpoch?: (epoch: number, loss: number) => void,
): Omit<TrainResult, 'parameters'> {
  const positiveWeight = options.positiveWeight ?? defaultPositiveWeight(data.labels)
  const optimiser = createOptimiser(kernels.raw, memory, count, options)
  const order = Uint32Array.from({ length: data.rows }, (_, row) => row)
  const random = prng(`train/${options.seed}`)
  const visited = Math.min(options.rowsPerEpoch ?? data.rows, data.rows)
  const batchSize = Math.min(options.batchSize, visited)
  const weights = new Float32Array(batchSize)
  let loss = 0
  let steps = 0
  for (let epoch = 0; epoch < options.epochs; epoch++) {
    shuffle(order, random)
    let lossSum = 0
    let weightTotal = 0
    for (let from = 0; from < visited; from += batchSize) {
      const rows = order.subarray(from, Math.min(from + batchSize, visited))
      const weightSum = weigh(data, rows, positiveWeight, weights)
      lossSum += trainee.gradientOf({ rows, weights: weights.subarray(0, rows.length), weightSum })
      weightTotal += weightSum
      optimiser.step()
      steps++
    }
    loss = weightTotal > 0 ? lossSum / weightTotal : 0
    onEpoch?.(epoch, loss)
  }
  return { loss, steps }
}

/** The memory as the optimiser of a later part sees it. */
function shifted({ parameters, gradient, anchor, moments }: OptimiserMemory, bytes: number): OptimiserMemory {
  return { parameters: parameters + bytes, gradient: gradient + bytes, anchor: anchor + bytes, moments }
}

/** Fills the weights of a batch; returns their sum. */
function weigh(data: TrainingSource, rows: Uint32Array, positiveWeight: number, weights: Float32Array): number {
  let sum = 0
  rows.forEach((row, i) => {
    const weight = Math.fround((data.weights?.[row] ?? 1) * (data.labels[row] === 1 ? positiveWeight : 1))
    weights[i] = weight
    sum += weight
  })
  return sum
}

/** Copies rows by number into one block. */
export function gatherRows({ width, features }: TrainingSource, rows: Uint32Array, into: Float32Array): void {
  for (let i = 0; i < rows.length; i++) {
    const from = (rows[i] ?? 0) * width
    if (features instanceof Float32Array) into.set(features.subarray(from, from + width), i * width)
    else features.read(from, into.subarray(i * width, (i + 1) * width))
  }
}

export function gatherLabels({ labels }: TrainingSource, rows: Uint32Array, into: Uint8Array): void {
  for (let i = 0; i < rows.length; i++) into[i] = labels[rows[i] ?? 0] ?? 0
}
