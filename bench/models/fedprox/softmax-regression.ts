/** Multinomial logistic regression by minibatch SGD with the proximal term of FedProx, on the product's optimiser. */

import type { Kernels } from '../../../src/models/kernels/kernels.ts'
import { type Prng, shuffle } from '../../../src/base/prng.ts'
import { createOptimiser } from '../../../src/models/optimiser.ts'
import type { TensorShape } from '../../../src/models/model.ts'
import { CLASSES, FEATURES, type Samples } from './synthetic.ts'

export const LAYOUT: readonly TensorShape[] = [
  { name: 'softmax.bias', shape: [CLASSES] },
  { name: 'softmax.weight', shape: [FEATURES, CLASSES] },
]
export const PARAMETERS = CLASSES + FEATURES * CLASSES

export interface LocalWork {
  readonly epochs: number
  readonly batchSize: number
  readonly learningRate: number
  readonly proximalMu: number
}

/** Parameters after `epochs` passes from `start`, which is the centre of the proximal term. */
export function trainSoftmax(
  kernels: Kernels,
  start: Float32Array,
  data: Samples,
  work: LocalWork,
  random: Prng,
): Float32Array {
  const { arena, raw } = kernels
  const blocks: number[] = []
  const take = (elements: number): number => {
    blocks.push(arena.allocate(4 * elements))
    return blocks.at(-1) ?? 0
  }
  const [parameters, gradient, anchor] = [take(PARAMETERS), take(PARAMETERS), take(PARAMETERS)]
  const moments = take(2 * PARAMETERS)
  const batch = { rows: take(work.batchSize * FEATURES), errors: take(work.batchSize * CLASSES) }
  try {
    arena.float32(parameters, PARAMETERS).set(start)
    arena.float32(anchor, PARAMETERS).set(start)
    const options = { optimiser: 'sgd', learningRate: work.learningRate, proximalMu: work.proximalMu } as const
    const optimiser = createOptimiser(raw, { parameters, gradient, anchor, moments }, PARAMETERS, options)
    const order = Uint32Array.from({ length: data.rows }, (_, row) => row)
    for (let epoch = 0; epoch < work.epochs; epoch++) {
      shuffle(order, random)
      for (let from = 0; from < data.rows; from += work.batchSize) {
        gradientOf(kernels, data, order.subarray(from, from + work.batchSize), parameters, gradient, batch)
        optimiser.step()
      }
    }
    return arena.float32(parameters, PARAMETERS).slice()
  } finally {
    for (const block of blocks) arena.release(block)
  }
}

/** Of the mean loss of the batch; offsets in the kernels' memory. */
function gradientOf(
  { arena, raw, scratch }: Kernels,
  { features, labels }: Samples,
  batch: Uint32Array,
  parameters: number,
  gradient: number,
  memory: { readonly rows: number; readonly errors: number },
): void {
  const count = batch.length
  const rows = arena.float32(memory.rows, count * FEATURES)
  const errors = arena.float32(memory.errors, count * CLASSES)
  for (let i = 0; i < count; i++)
    for (let j = 0, from = (batch[i] as number) * FEATURES; j < FEATURES; j++)
      rows[i * FEATURES + j] = features[from + j] as number
  const weights = parameters + 4 * CLASSES
  raw.gemm(memory.rows, FEATURES, 1, weights, CLASSES, 1, memory.errors, count, CLASSES, FEATURES, 0, scratch)
  raw.biasRelu(memory.errors, parameters, count, CLASSES, 0)
  for (let i = 0; i < count; i++) {
    const own = errors.subarray(i * CLASSES, (i + 1) * CLASSES)
    const label = labels[batch[i] as number] as number
    normalise(own)
    own[label] = (own[label] as number) - 1
    for (let c = 0; c < CLASSES; c++) own[c] = (own[c] as number) / count
  }
  raw.columnSums(memory.errors, gradient, count, CLASSES)
  const ofWeights = gradient + 4 * CLASSES
  raw.gemm(memory.rows, 1, FEATURES, memory.errors, CLASSES, 1, ofWeights, FEATURES, CLASSES, count, 0, scratch)
}

/** Logits into probabilities. */
function normalise(logits: Float32Array): void {
  let largest = -Infinity
  for (let c = 0; c < CLASSES; c++) largest = Math.max(largest, logits[c] as number)
  let sum = 0
  for (let c = 0; c < CLASSES; c++) sum += logits[c] = Math.exp((logits[c] as number) - largest)
  for (let c = 0; c < CLASSES; c++) logits[c] = (logits[c] as number) / sum
}

const probabilities = new Float64Array(CLASSES)

/** Into {@link probabilities}, of the row that begins at features[from]; returns -log of that of `label`. */
function softmax(parameters: Float32Array, features: Float32Array, from: number, label: number): number {
  for (let c = 0; c < CLASSES; c++) probabilities[c] = parameters[c] as number
  for (let j = 0, at = CLASSES; j < FEATURES; j++, at += CLASSES) {
    const x = features[from + j] as number
    for (let c = 0; c < CLASSES; c++)
      probabilities[c] = (probabilities[c] as number) + x * (parameters[at + c] as number)
  }
  const largest = Math.max(...probabilities)
  const own = (probabilities[label] as number) - largest
  let sum = 0
  for (let c = 0; c < CLASSES; c++) sum += probabilities[c] = Math.exp((probabilities[c] as number) - largest)
  for (let c = 0; c < CLASSES; c++) probabilities[c] = (probabilities[c] as number) / sum
  return Math.log(sum) - own
}

/** Sum of the losses and number of right answers. */
export function evaluateSoftmax(
  parameters: Float32Array,
  { rows, features, labels }: Samples,
): { loss: number; right: number } {
  let [loss, right] = [0, 0]
  for (let row = 0; row < rows; row++) {
    const label = labels[row] ?? 0
    loss += softmax(parameters, features, row * FEATURES, label)
    if (probabilities.indexOf(Math.max(...probabilities)) === label) right++
  }
  return { loss, right }
}
