/** A training step of the perceptron 64-256-256-2 on batches of 1024, with the layers of the product. */

import { prng } from '../src/base/prng.ts'
import { allocateDense, backwardDense, forwardDense, planDense } from '../src/models/dense.ts'
import type { Kernels } from '../src/models/kernels/kernels.ts'
import { crossEntropy, randomFloats, type TrainingStep, trained } from './kernels-training.ts'

export const WIDTHS = [64, 256, 256, 2] as const
export const BATCH = 1024

export function createPerceptron(kernels: Kernels, seed: string): TrainingStep {
  const random = prng(`bench/perceptron/${seed}`)
  const { layers } = planDense('', WIDTHS, 0)
  const shapes = layers.flatMap(({ inputs, outputs }) => [[1, outputs] as const, [inputs, outputs] as const])
  const { tensors, gradients, adam } = trained(kernels, shapes, random)
  const activations = allocateDense(layers, kernels, BATCH)
  const deltas = allocateDense(layers, kernels, BATCH)
  const input = randomFloats(kernels, BATCH * WIDTHS[0], random)
  const offsets = [input, ...activations.offsets.slice(1)]
  const labels = Uint8Array.from({ length: BATCH }, () => random.below(2))
  const [parameters = 0, gradient = 0] = [tensors[0], gradients[0]]
  const of = { parameters, gradient, activations: offsets, deltas: deltas.offsets, toInput: false }

  function step(): number {
    forwardDense(layers, kernels, parameters, offsets, BATCH)
    const loss = crossEntropy(kernels, offsets.at(-1) ?? 0, labels, deltas.offsets.at(-1) ?? 0)
    backwardDense(layers, kernels, of, BATCH)
    adam()
    return loss
  }

  return { step }
}
