/** The PPO loss and its gradient in float64, without the kernels: what the tests hold the kernels against. */

import type { Dense, PolicyPlan } from './plan.ts'
import type { LossWeights, PolicyRows } from './session.ts'
import { KINDS } from './spec.ts'

type Vector = Float64Array

const relu = (x: Vector): Vector => x.map((value) => Math.max(0, value))

const sumOf = (vectors: readonly Vector[], length: number): Vector =>
  Float64Array.from({ length }, (_, i) => vectors.reduce((sum, vector) => sum + (vector[i] ?? 0), 0))

const cut = (delta: Vector, output: Vector): Vector => delta.map((value, i) => ((output[i] ?? 0) > 0 ? value : 0))

/** Layers over the flat parameters; `back` adds to the gradient and returns that by the input. */
function layers(parameters: Vector, gradient: Vector | undefined) {
  const apply = ({ inputs, outputs, weights, bias }: Dense, x: Vector, at = 0): Vector =>
    Float64Array.from({ length: outputs }, (_, j) => {
      let sum = bias < 0 ? 0 : (parameters[bias + at * outputs + j] ?? 0)
      for (let k = 0; k < inputs; k++) sum += (x[k] ?? 0) * (parameters[weights + k * outputs + j] ?? 0)
      return sum
    })
  const back = ({ inputs, outputs, weights, bias }: Dense, x: Vector, delta: Vector, position = 0): Vector => {
    const below = new Float64Array(inputs)
    for (let j = 0; j < outputs; j++) {
      const d = delta[j] ?? 0
      if (gradient !== undefined && bias >= 0) {
        const at = bias + position * outputs + j
        gradient[at] = (gradient[at] ?? 0) + d
      }
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

/** Mean over all rows; adds the gradient to `gradient` where one is given. */
export function referencePolicyLoss(
  plan: PolicyPlan,
  parameters: Vector,
  rows: PolicyRows,
  { clip, entropyWeight, valueWeight }: LossWeights,
  gradient?: Vector,
): number {
  const { spec, actor, critic, slots, features, wide, head } = plan
  const { apply, back } = layers(parameters, gradient)
  const count = rows.actions.length
  let loss = 0
  for (let row = 0; row < count; row++) {
    const shown = rows.observations.subarray(row * spec.observations, (row + 1) * spec.observations)
    const each = Array.from({ length: slots }, (_, at) =>
      Float64Array.from(shown.subarray(at * features, (at + 1) * features)),
    )
    const look = (of: { encode: Dense; context: Dense }) => {
      const encoded = each.map((x, at) => relu(apply(of.encode, x, at)))
      const pooled = Float64Array.from(encoded.flatMap((one) => [...one]))
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
        const delta = sumOf(
          [byPooled.subarray(at * wide, (at + 1) * wide), byEncoded[at] ?? new Float64Array(wide)],
          wide,
        )
        back(of.encode, each[at] as Vector, cut(delta, encoded), at)
      })
    }
    const acting = look(actor)
    const around = apply(actor.around, acting.context)
    const hosts = acting.encoded.map((encoded) => relu(sumOf([apply(actor.host, encoded), around], head)))
    const acts = hosts.map((host, at) => apply(actor.act, host, at))
    const logits = apply(actor.direct, acting.context)
    acts.forEach((of, at) =>
      of.forEach((logit, kind) => (logits[1 + kind * slots + at] = (logits[1 + kind * slots + at] ?? 0) + logit)),
    )
    const judging = look(critic)
    const value = apply(critic.value, judging.context)[0] ?? 0

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
    const byHosts = hosts.map((host, at) => {
      const byAct = Float64Array.from({ length: KINDS }, (_, kind) => byLogit[1 + kind * slots + at] ?? 0)
      return cut(back(actor.act, host, byAct, at), host)
    })
    const byEncoded = byHosts.map((delta, at) => back(actor.host, acting.encoded[at] as Vector, delta))
    const byAround = back(actor.around, acting.context, sumOf(byHosts, head))
    const byDirect = back(actor.direct, acting.context, byLogit)
    lookBack(actor, acting, sumOf([byAround, byDirect], wide), byEncoded)
    const byValue = Float64Array.of((valueWeight * error) / count)
    lookBack(critic, judging, back(critic.value, judging.context, byValue), [])
  }
  return loss
}
