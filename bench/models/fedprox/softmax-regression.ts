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
  const blocks = [0, 1, 2, 3].map((i) => arena.allocate(4 * PARAMETERS * (i === 3 ? 2 : 1)))
  const [parameters = 0, gradient = 0, anchor = 0, moments = 0] = blocks
  try {
    arena.float32(parameters, PARAMETERS).set(start)
    arena.float32(anchor, PARAMETERS).set(start)
    const options = { optimiser: 'sgd', learningRate: work.learningRate, proximalMu: work.proximalMu } as const
    const optimiser = createOptimiser(raw, { parameters, gradient, anchor, moments }, PARAMETERS, options)
    const order = Uint32Array.from({ length: data.rows }, (_, row) => row)
    for (let epoch = 0; epoch < work.epochs; epoch++) {
      shuffle(order, random)
      for (let from = 0; from < data.rows; from += work.batchSize) {
        const batch = order.subarray(from, from + work.batchSize)
        gradientOf(arena.float32(parameters, PARAMETERS), data, batch, arena.float32(gradient, PARAMETERS))
        optimiser.step()
      }
    }
    return arena.float32(parameters, PARAMETERS).slice()
  } finally {
    for (const block of blocks) arena.release(block)
  }
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

function gradientOf(
  parameters: Float32Array,
  { features, labels }: Samples,
  batch: Uint32Array,
  gradient: Float32Array,
): void {
  gradient.fill(0)
  for (let i = 0; i < batch.length; i++) {
    const row = batch[i] as number
    const label = labels[row] as number
    const from = row * FEATURES
    softmax(parameters, features, from, label)
    probabilities[label] = (probabilities[label] as number) - 1
    for (let c = 0; c < CLASSES; c++) {
      probabilities[c] = (probabilities[c] as number) / batch.length
      gradient[c] = (gradient[c] as number) + (probabilities[c] as number)
    }
    for (let j = 0, at = CLASSES; j < FEATURES; j++, at += CLASSES) {
      const x = features[from + j] as number
      for (let c = 0; c < CLASSES; c++)
        gradient[at + c] = (gradient[at + c] as number) + x * (probabilities[c] as number)
    }
  }
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
