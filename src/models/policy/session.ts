/** One policy in the kernels' memory: choosing actions, and the gradient of the PPO loss of a minibatch. */

import type { Kernels } from '../kernels/kernels.ts'
import { policyKernels } from './kernels.ts'
import { openNetwork } from './network.ts'
import type { PolicyPlan } from './plan.ts'

/** Rows of a trajectory, or a part of them; row-major. */
export interface PolicyRows {
  readonly observations: Float32Array
  readonly masks: Uint8Array
  readonly actions: Uint32Array
  /** Log-probabilities of the actions when they were drawn. */
  readonly logs: Float32Array
  readonly advantages: Float32Array
  readonly targets: Float32Array
}

export interface LossWeights {
  /** epsilon of Schulman et al. 2017, equation 7. */
  readonly clip: number
  readonly entropyWeight: number
  readonly valueWeight: number
}

/** Means over the rows. */
export interface LossParts {
  readonly surrogate: number
  readonly value: number
  readonly entropy: number
  /** Estimated KL divergence from the policy that played. */
  readonly divergence: number
  /** Share of the rows that the clip holds. */
  readonly held: number
}

export interface PolicySession {
  readonly parameters: number
  readonly gradient: number
  readonly anchor: number
  readonly moments: number
  /** Actions drawn for `rows` observations, their log-probabilities and the values; uniforms are in [0, 1). */
  draw(observations: Float32Array, masks: Uint8Array, uniforms: Float64Array, into: Drawn): void
  /** Probabilities (rows x actions) and values. */
  judge(
    observations: Float32Array,
    masks: Uint8Array,
    rows: number,
  ): { probabilities: Float32Array; values: Float32Array }
  /** Writes the gradient of surrogate + valueWeight * value - entropyWeight * entropy over the picked rows. */
  gradientOf(rows: PolicyRows, picked: Uint32Array, weights: LossWeights): LossParts
  release(): void
}

export interface Drawn {
  readonly actions: Uint32Array
  readonly logs: Float32Array
  readonly values: Float32Array
}

const STATS = 4

/** `rowsMax` bounds the rows of one call. The caller releases the session. */
export function openSession(plan: PolicyPlan, kernels: Kernels, start: Float32Array, rowsMax: number): PolicySession {
  const { arena } = kernels
  const raw = policyKernels(kernels)
  const { spec, parameterCount } = plan
  const blocks: number[] = []
  const take = (bytes: number): number => {
    const offset = arena.allocate(bytes)
    blocks.push(offset)
    return offset
  }
  const [parameters, gradient, anchor] = [take(4 * parameterCount), take(4 * parameterCount), take(4 * parameterCount)]
  const moments = take(8 * parameterCount)
  const network = openNetwork(plan, kernels, parameters, gradient, rowsMax)
  const { input, logits, values } = network
  const probabilities = take(4 * rowsMax * spec.actions)
  const masks = take(rowsMax * spec.actions)
  const [actions, logs, advantages, targets] = [
    take(4 * rowsMax),
    take(4 * rowsMax),
    take(4 * rowsMax),
    take(4 * rowsMax),
  ]
  const uniforms = take(8 * rowsMax)
  const stats = take(8 * STATS)
  arena.float32(parameters, parameterCount).set(start)
  arena.float32(anchor, parameterCount).set(start)
  arena.float32(moments, 2 * parameterCount).fill(0)

  function load(observations: Float32Array, legal: Uint8Array, rows: number): void {
    arena.float32(input, rows * spec.observations).set(observations)
    arena.bytes(masks, rows * spec.actions).set(legal)
    network.forward(rows)
  }

  function draw(observations: Float32Array, legal: Uint8Array, draws: Float64Array, into: Drawn): void {
    const rows = draws.length
    load(observations, legal, rows)
    arena.float64(uniforms, rows).set(draws)
    raw.maskedSample(logits, masks, uniforms, actions, logs, rows, spec.actions)
    into.actions.set(new Uint32Array(arena.bytes(actions, 4 * rows).slice().buffer))
    into.logs.set(arena.float32(logs, rows))
    into.values.set(arena.float32(values, rows))
  }

  function judge(observations: Float32Array, legal: Uint8Array, rows: number) {
    load(observations, legal, rows)
    raw.maskedSoftmax(logits, masks, probabilities, rows, spec.actions)
    return {
      probabilities: arena.float32(probabilities, rows * spec.actions).slice(),
      values: arena.float32(values, rows).slice(),
    }
  }

  function gather(from: PolicyRows, picked: Uint32Array): void {
    const rows = picked.length
    const [width, columns] = [spec.observations, spec.actions]
    const observationsIn = arena.float32(input, rows * width)
    const masksIn = arena.bytes(masks, rows * columns)
    const actionsIn = new Uint32Array(rows)
    const [logsIn, advantagesIn, targetsIn] = [logs, advantages, targets].map((offset) => arena.float32(offset, rows))
    picked.forEach((row, i) => {
      observationsIn.set(from.observations.subarray(row * width, (row + 1) * width), i * width)
      masksIn.set(from.masks.subarray(row * columns, (row + 1) * columns), i * columns)
      actionsIn[i] = from.actions[row] ?? 0
      if (logsIn !== undefined) logsIn[i] = from.logs[row] ?? 0
      if (advantagesIn !== undefined) advantagesIn[i] = from.advantages[row] ?? 0
      if (targetsIn !== undefined) targetsIn[i] = from.targets[row] ?? 0
    })
    arena.bytes(actions, 4 * rows).set(new Uint8Array(actionsIn.buffer))
  }

  function gradientOf(from: PolicyRows, picked: Uint32Array, weights: LossWeights): LossParts {
    const rows = picked.length
    const scale = 1 / rows
    const { clip, entropyWeight, valueWeight } = weights
    gather(from, picked)
    network.forward(rows)
    arena.float64(stats, STATS).fill(0)
    raw.clippedSurrogate(
      logits,
      masks,
      actions,
      logs,
      advantages,
      network.logitsGradient,
      rows,
      spec.actions,
      clip,
      entropyWeight,
      scale,
      stats,
    )
    const value = raw.squaredError(values, targets, network.valuesGradient, rows, valueWeight * scale)
    network.backward(rows)
    const [surrogate = 0, entropy = 0, divergence = 0, held = 0] = arena.float64(stats, STATS)
    return {
      surrogate: surrogate * scale,
      value: value * scale,
      entropy: entropy * scale,
      divergence: divergence * scale,
      held: held * scale,
    }
  }

  function release(): void {
    network.release()
    for (const block of blocks) arena.release(block)
  }

  return { parameters, gradient, anchor, moments, draw, judge, gradientOf, release }
}
