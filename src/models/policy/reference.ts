/** The PPO loss and its gradient in float64, without the kernels: what the tests hold the kernels against. */

import type { Layer } from '../dense.ts'
import type { PolicyPlan } from './plan.ts'
import type { AlikePlan, Dense } from './plan-alike.ts'
import type { ApartPlan } from './plan-apart.ts'
import type { LossWeights, PolicyRows } from './session.ts'
import { KINDS } from './spec.ts'

type Vector = Float64Array

const relu = (x: Vector): Vector => x.map((value) => Math.max(0, value))

const sumOf = (vectors: readonly Vector[], length: number): Vector =>
  Float64Array.from({ length }, (_, i) => vectors.reduce((sum, vector) => sum + (vector[i] ?? 0), 0))

const cut = (delta: Vector, output: Vector): Vector => delta.map((value, i) => ((output[i] ?? 0) > 0 ? value : 0))

/** Layers over the flat parameters; `back` adds to the gradient and returns that by the input. */
function layers(parameters: Vector, gradient: Vector | undefined) {
  const apply = ({ inputs, outputs, weights, bias }: Dense, x: Vector): Vector =>
    Float64Array.from({ length: outputs }, (_, j) => {
      let sum = bias < 0 ? 0 : (parameters[bias + j] ?? 0)
      for (let k = 0; k < inputs; k++) sum += (x[k] ?? 0) * (parameters[weights + k * outputs + j] ?? 0)
      return sum
    })
  const back = ({ inputs, outputs, weights, bias }: Dense, x: Vector, delta: Vector): Vector => {
    const below = new Float64Array(inputs)
    for (let j = 0; j < outputs; j++) {
      const d = delta[j] ?? 0
      if (gradient !== undefined && bias >= 0) gradient[bias + j] = (gradient[bias + j] ?? 0) + d
      for (let k = 0; k < inputs; k++) {
        const at = weights + k * outputs + j
        if (gradient !== undefined) gradient[at] = (gradient[at] ?? 0) + d * (x[k] ?? 0)
        below[k] = (below[k] ?? 0) + d * (parameters[at] ?? 0)
      }
    }
    return below
  }
  return { apply, back }
}

/** What one row gives, and how its gradient goes back. */
interface Look {
  readonly logits: Vector
  readonly value: number
  back(byLogit: Vector, byValue: Vector): void
}

function lookAlike(plan: AlikePlan, parameters: Vector, shown: Float32Array, gradient: Vector | undefined): Look {
  const { actor, critic, slots, features, wide, head } = plan
  const { apply, back } = layers(parameters, gradient)
  const each = Array.from({ length: slots }, (_, at) =>
    Float64Array.from(shown.subarray(at * features, (at + 1) * features)),
  )
  const look = (of: { encode: Dense; context: Dense }) => {
    const encoded = each.map((x) => relu(apply(of.encode, x)))
    const pooled = sumOf(encoded, wide)
    return { encoded, pooled, context: relu(apply(of.context, pooled)) }
  }
  const lookBack = (
    of: { encode: Dense; context: Dense },
    seen: ReturnType<typeof look>,
    byContext: Vector,
    byEncoded: readonly Vector[],
  ): void => {
    const byPooled = back(of.context, seen.pooled, cut(byContext, seen.context))
    seen.encoded.forEach((encoded, at) => {
      const delta = sumOf([byPooled, byEncoded[at] ?? new Float64Array(wide)], wide)
      back(of.encode, each[at] as Vector, cut(delta, encoded))
    })
  }
  const acting = look(actor)
  const around = apply(actor.around, acting.context)
  const hosts = acting.encoded.map((encoded) => relu(sumOf([apply(actor.host, encoded), around], head)))
  const acts = hosts.map((host) => apply(actor.act, host))
  const sleep = apply(actor.sleep, acting.context)
  const logits = new Float64Array(1 + KINDS * slots)
  logits[0] = sleep[0] ?? 0
  acts.forEach((of, at) => of.forEach((logit, kind) => (logits[1 + kind * slots + at] = logit)))
  const judging = look(critic)
  const value = apply(critic.value, judging.context)[0] ?? 0
  return {
    logits,
    value,
    back(byLogit, byValue) {
      const byHosts = hosts.map((host, at) => {
        const byAct = Float64Array.from({ length: KINDS }, (_, kind) => byLogit[1 + kind * slots + at] ?? 0)
        return cut(back(actor.act, host, byAct), host)
      })
      const byEncoded = byHosts.map((delta, at) => back(actor.host, acting.encoded[at] as Vector, delta))
      const byAround = back(actor.around, acting.context, sumOf(byHosts, head))
      const bySleep = back(actor.sleep, acting.context, Float64Array.of(byLogit[0] ?? 0))
      lookBack(actor, acting, sumOf([byAround, bySleep], wide), byEncoded)
      lookBack(critic, judging, back(critic.value, judging.context, byValue), [])
    },
  }
}

interface Pass {
  /** Input and output of each layer. */
  readonly values: readonly Float64Array[]
}

function perceptron(layers: readonly Layer[], parameters: Float64Array, input: Float32Array): Pass {
  const values = [Float64Array.from(input)]
  layers.forEach(({ inputs, outputs, weights, bias }, i) => {
    const below = values[i] as Float64Array
    const next = new Float64Array(outputs)
    for (let j = 0; j < outputs; j++) {
      let sum = parameters[bias + j] ?? 0
      for (let k = 0; k < inputs; k++) sum += (below[k] ?? 0) * (parameters[weights + k * outputs + j] ?? 0)
      next[j] = i + 1 < layers.length ? Math.max(0, sum) : sum
    }
    values.push(next)
  })
  return { values }
}

function perceptronBack(
  layers: readonly Layer[],
  parameters: Float64Array,
  { values }: Pass,
  top: Float64Array,
  gradient: Float64Array,
): void {
  let delta = top
  for (let i = layers.length - 1; i >= 0; i--) {
    const { inputs, outputs, weights, bias } = layers[i] as Layer
    const input = values[i] as Float64Array
    const below = new Float64Array(inputs)
    for (let j = 0; j < outputs; j++) {
      const d = delta[j] ?? 0
      gradient[bias + j] = (gradient[bias + j] ?? 0) + d
      for (let k = 0; k < inputs; k++) {
        const at = weights + k * outputs + j
        gradient[at] = (gradient[at] ?? 0) + d * (input[k] ?? 0)
        below[k] = (below[k] ?? 0) + d * (parameters[at] ?? 0)
      }
    }
    delta = below.map((value, k) => ((input[k] ?? 0) > 0 ? value : 0))
  }
}

function lookApart({ actor, critic }: ApartPlan, parameters: Vector, shown: Float32Array, gradient?: Vector): Look {
  const [policy, value] = [perceptron(actor, parameters, shown), perceptron(critic, parameters, shown)]
  return {
    logits: policy.values.at(-1) as Vector,
    value: value.values.at(-1)?.[0] ?? 0,
    back(byLogit, byValue) {
      if (gradient === undefined) return
      perceptronBack(actor, parameters, policy, byLogit, gradient)
      perceptronBack(critic, parameters, value, byValue, gradient)
    },
  }
}

/** Mean over all rows; adds the gradient to `gradient` where one is given. */
export function referencePolicyLoss(
  { spec, network }: PolicyPlan,
  parameters: Vector,
  rows: PolicyRows,
  { clip, entropyWeight, valueWeight }: LossWeights,
  gradient?: Vector,
): number {
  const count = rows.actions.length
  let loss = 0
  for (let row = 0; row < count; row++) {
    const shown = rows.observations.subarray(row * spec.observations, (row + 1) * spec.observations)
    const look =
      network.kind === 'alike'
        ? lookAlike(network, parameters, shown, gradient)
        : lookApart(network, parameters, shown, gradient)
    const { logits, value } = look
    const mask = rows.masks.subarray(row * spec.actions, (row + 1) * spec.actions)
    const total = Math.log(logits.reduce((sum, logit, i) => sum + (mask[i] === 1 ? Math.exp(logit) : 0), 0))
    const logs = logits.map((logit, i) => (mask[i] === 1 ? logit - total : -Infinity))
    const chances = logs.map(Math.exp)
    const entropy = -logs.reduce((sum, log, i) => sum + (mask[i] === 1 ? (chances[i] ?? 0) * log : 0), 0)
    const action = rows.actions[row] ?? 0
    const advantage = rows.advantages[row] ?? 0
    const ratio = Math.exp((logs[action] ?? 0) - (rows.logs[row] ?? 0))
    const bounded = Math.min(1 + clip, Math.max(1 - clip, ratio))
    const error = value - (rows.targets[row] ?? 0)
    loss -= Math.min(ratio * advantage, bounded * advantage) / count
    loss += (valueWeight * 0.5 * error * error - entropyWeight * entropy) / count
    if (gradient === undefined) continue

    const pull = ratio * advantage <= bounded * advantage ? ratio * advantage : 0
    const byLogit = logs.map((log, i) => {
      if (mask[i] !== 1) return 0
      const p = chances[i] ?? 0
      return (pull * (p - (i === action ? 1 : 0)) + entropyWeight * p * (log + entropy)) / count
    })
    look.back(byLogit, Float64Array.of((valueWeight * error) / count))
  }
  return loss
}
