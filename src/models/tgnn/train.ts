/** Local training of the network, supervised or on links, all of it or a head alone. */

import { allocateDense, type DensePlan } from '../dense.ts'
import type { Kernels } from '../kernels/kernels.ts'
import type { TrainingSource, TrainOptions, TrainResult } from '../model.ts'
import {
  type Batch,
  checkTraining,
  gatherLabels,
  gatherRows,
  type TrainableRange,
  type Trainee,
  trainInBatches,
} from '../training-loop.ts'
import { backwardNetwork, type Deltas } from './backward.ts'
import { forwardEncoder, forwardHead, meanOfEncoded } from './forward.ts'
import { allocateNetwork, type NetworkMemory } from './memory.ts'
import type { TgnnPlan } from './plan.ts'

/** A batch is worked off in parts of this many rows, whose activations fit the second-level cache. */
const PART_ROWS = 64

export function headOf(plan: TgnnPlan, objective: TrainOptions['objective']): DensePlan {
  return objective === 'link' ? plan.linkHead : plan.head
}

export function trainTgnn(
  plan: TgnnPlan,
  kernels: Kernels,
  start: Float32Array,
  data: TrainingSource,
  options: TrainOptions,
  onEpoch?: (epoch: number, loss: number) => void,
): TrainResult {
  checkTraining(plan.inputs, data, options)
  const head = headOf(plan, options.objective)
  const toBody = options.trainable !== 'head'
  const open = (parameters: number, gradient: number): Trainee =>
    openTrainee(plan, head, kernels, data, parameters, gradient, toBody)
  return trainInBatches(kernels, start, trainableRange(plan, head, toBody, options), data, options, open, onEpoch)
}

/**
 * A head alone, or everything: the other head's gradient is zero then, and an optimiser leaves it where it is. Noise would
 * not: private training ends before the link head.
 */
function trainableRange(plan: TgnnPlan, head: DensePlan, toBody: boolean, { privately }: TrainOptions): TrainableRange {
  if (toBody) return { from: 0, count: privately !== undefined && head === plan.head ? head.end : plan.parameterCount }
  const from = head === plan.head ? firstOf(plan.head) : firstOf(plan.linkHead)
  return { from, count: head.end - from }
}

const firstOf = (head: DensePlan): number => head.layers[0]?.bias ?? 0

function openTrainee(
  plan: TgnnPlan,
  head: DensePlan,
  kernels: Kernels,
  data: TrainingSource,
  parameters: number,
  gradient: number,
  toBody: boolean,
): Trainee {
  const { raw, arena } = kernels
  const n = plan.parameterCount
  const memory = allocateNetwork(plan, head, kernels, PART_ROWS)
  const deltas = allocateDeltas(plan, head, kernels)
  const blocks = [4 * PART_ROWS, 4 * PART_ROWS, 4 * n].map((bytes) => arena.allocate(bytes))
  const [labels = 0, weights = 0, part = 0] = blocks
  // What the other head would get is never written.
  arena.float32(part, n).fill(0)
  arena.float32(gradient, n).fill(0)

  function gradientOf(batch: Batch): number {
    const scale = batch.weightSum > 0 ? 1 / batch.weightSum : 0
    if (batch.rows.length === 1) return gradientOfPart(batch.rows, batch.weights, scale, gradient)
    arena.float32(gradient, n).fill(0)
    let loss = 0
    for (let from = 0; from < batch.rows.length; from += PART_ROWS) {
      loss += gradientOfPart(
        batch.rows.subarray(from, from + PART_ROWS),
        batch.weights.subarray(from, from + PART_ROWS),
        scale,
        part,
      )
      raw.axpy(1, part, gradient, n)
    }
    return loss
  }

  function gradientOfPart(rows: Uint32Array, weightsOf: Float32Array, scale: number, into: number): number {
    const count = rows.length
    gatherRows(data, rows, arena.float32(memory.encoder.input, count * plan.inputs))
    gatherLabels(data, rows, arena.bytes(labels, count))
    arena.float32(weights, count).set(weightsOf)
    forwardEncoder(plan, kernels, parameters, memory.encoder, count)
    forwardHead(plan, head, kernels, parameters, memory, count, meanOfEncoded(plan, kernels, memory.encoder, count))
    const loss = raw.logisticLoss(last(memory.head), labels, weights, last(deltas.head), count, scale)
    backwardNetwork(plan, head, kernels, parameters, into, memory, deltas, count, toBody)
    return loss
  }

  function release(): void {
    memory.release()
    deltas.release()
    for (const block of blocks) arena.release(block)
  }

  return { gradientOf, release }
}

const last = ({ offsets }: NetworkMemory['head']): number => offsets.at(-1) ?? 0

function allocateDeltas(plan: TgnnPlan, head: DensePlan, kernels: Kernels): Deltas & { release(): void } {
  const { arena } = kernels
  const { links, width } = plan.spec
  const tokens = PART_ROWS * 2 * links
  const activations = allocateDense(head.layers, kernels, PART_ROWS)
  const sums = 4 * (2 * links * plan.tokenHidden + 2 * links + 2 * plan.tokenHidden)
  const sizes = [tokens * width, tokens * width, tokens * plan.channelHidden, sums]
  const blocks = sizes.map((elements) => arena.allocate(4 * elements))
  const [residual = 0, branch = 0, channelHidden = 0, scratch = 0] = blocks
  return {
    head: activations,
    residual,
    branch,
    channelHidden,
    scratch,
    release: () => {
      activations.release()
      for (const block of blocks) arena.release(block)
    },
  }
}
