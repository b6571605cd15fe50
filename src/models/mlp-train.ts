/** The gradient of the perceptron's weighted logistic loss. */

import { allocateDense, backwardDense, forwardDense } from './dense.ts'
import type { Kernels } from './kernels/kernels.ts'
import type { MlpPlan } from './mlp.ts'
import type { TrainingSource, TrainOptions, TrainResult } from './model.ts'
import { type Batch, checkTraining, gatherLabels, gatherRows, type Trainee, trainInBatches } from './training-loop.ts'

export function trainMlp(
  plan: MlpPlan,
  kernels: Kernels,
  start: Float32Array,
  data: TrainingSource,
  options: TrainOptions,
  onEpoch?: (epoch: number, loss: number) => void,
): TrainResult {
  checkTraining(plan.spec.inputs, data, options)
  const batchSize = Math.min(options.batchSize, data.rows)
  const all = { from: 0, count: plan.parameterCount }
  const open = (parameters: number, gradient: number): Trainee =>
    openTrainee(plan, kernels, data, batchSize, parameters, gradient)
  return trainInBatches(kernels, start, all, data, options, open, onEpoch)
}

function openTrainee(
  { layers }: MlpPlan,
  kernels: Kernels,
  data: TrainingSource,
  batchSize: number,
  parameters: number,
  gradient: number,
): Trainee {
  const { raw, arena } = kernels
  const activations = allocateDense(layers, kernels, batchSize)
  const deltas = allocateDense(layers, kernels, batchSize)
  const [labels, weights] = [arena.allocate(4 * batchSize), arena.allocate(4 * batchSize)]

  function gradientOf(batch: Batch): number {
    const rows = batch.rows.length
    gatherRows(data, batch.rows, arena.float32(activations.offsets[0] ?? 0, rows * data.width))
    gatherLabels(data, batch.rows, arena.bytes(labels, rows))
    arena.float32(weights, rows).set(batch.weights)
    forwardDense(layers, kernels, parameters, activations.offsets, rows)
    const [logits = 0, delta = 0] = [activations.offsets.at(-1), deltas.offsets.at(-1)]
    const scale = batch.weightSum > 0 ? 1 / batch.weightSum : 0
    const loss = raw.logisticLoss(logits, labels, weights, delta, rows, scale)
    const of = { parameters, gradient, activations: activations.offsets, deltas: deltas.offsets, toInput: false }
    backwardDense(layers, kernels, of, rows)
    return loss
  }

  function release(): void {
    activations.release()
    deltas.release()
    arena.release(labels)
    arena.release(weights)
  }

  return { gradientOf, release }
}
