/** The PPO loss and its gradient in float64, without the kernels: what the tests hold the kernels against. */

import type { Layer } from '../dense.ts'
import type { PolicyPlan } from './plan.ts'
import type { LossWeights, PolicyRows } from './session.ts'

interface Pass {
  /** Input and output of each layer. */
  readonly values: readonly Float64Array[]
}

function forward(layers: readonly Layer[], parameters: Float64Array, input: Float32Array): Pass {
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

function backward(
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

/** Mean over all rows; adds the gradient to `gradient` where one is given. */
export function referencePolicyLoss(
  { spec, actor, critic }: PolicyPlan,
  parameters: Float64Array,
  rows: PolicyRows,
  { clip, entropyWeight, valueWeight }: LossWeights,
  gradient?: Float64Array,
): number {
  const count = rows.actions.length
  let loss = 0
  for (let row = 0; row < count; row++) {
    const input = rows.observations.subarray(row * spec.observations, (row + 1) * spec.observations)
    const mask = rows.masks.subarray(row * spec.actions, (row + 1) * spec.actions)
    const [policy, value] = [forward(actor, parameters, input), forward(critic, parameters, input)]
    const logits = policy.values.at(-1) as Float64Array
    const total = Math.log(logits.reduce((sum, logit, i) => sum + (mask[i] === 1 ? Math.exp(logit) : 0), 0))
    const logs = logits.map((logit, i) => (mask[i] === 1 ? logit - total : -Infinity))
    const chances = logs.map(Math.exp)
    const entropy = -logs.reduce((sum, log, i) => sum + (mask[i] === 1 ? (chances[i] ?? 0) * log : 0), 0)
    const action = rows.actions[row] ?? 0
    const advantage = rows.advantages[row] ?? 0
    const ratio = Math.exp((logs[action] ?? 0) - (rows.logs[row] ?? 0))
    const bounded = Math.min(1 + clip, Math.max(1 - clip, ratio))
    const error = (value.values.at(-1)?.[0] ?? 0) - (rows.targets[row] ?? 0)
    loss -= Math.min(ratio * advantage, bounded * advantage) / count
    loss += (valueWeight * 0.5 * error * error - entropyWeight * entropy) / count
    if (gradient === undefined) continue
    const pull = ratio * advantage <= bounded * advantage ? ratio * advantage : 0
    const top = logs.map((log, i) => {
      if (mask[i] !== 1) return 0
      const p = chances[i] ?? 0
      return (pull * (p - (i === action ? 1 : 0)) + entropyWeight * p * (log + entropy)) / count
    })
    backward(actor, parameters, policy, top, gradient)
    backward(critic, parameters, value, Float64Array.of((valueWeight * error) / count), gradient)
  }
  return loss
}
