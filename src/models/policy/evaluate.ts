/** What a policy earns, over whole episodes that run side by side. */

import { type Prng, prng } from '../../base/prng.ts'
import type { Environment } from '../response/environment.ts'
import { type Earned, earnedOf } from '../response/evaluate.ts'
import { openField } from './field.ts'
import type { Policy } from './policy.ts'

/** Episodes that are in memory at a time. */
const BATCH = 256

/**
 * Plays `episodes` episodes in which the policy takes its most probable action, the first among equals. Episode i has the
 * stream of episode i of {@link playEpisodes} with the same seed, so agents can be compared on the same draws of red.
 */
export function evaluatePolicy(
  policy: Policy,
  parameters: Float32Array,
  environment: Environment,
  episodes: number,
  seed: string,
): Earned {
  const totals = new Float64Array(episodes)
  for (let from = 0; from < episodes; from += BATCH) {
    const randoms = Array.from({ length: Math.min(BATCH, episodes - from) }, (_, row) => prng(`${seed}/${from + row}`))
    totals.set(play(policy, parameters, environment, randoms), from)
  }
  return earnedOf(totals)
}

function play(
  policy: Policy,
  parameters: Float32Array,
  environment: Environment,
  randoms: readonly Prng[],
): Float64Array {
  const rows = randoms.length
  const { observations: width, actions: columns } = policy.spec
  const field = openField(environment, 0, randoms)
  const shown = new Float32Array(rows * width)
  const masks = new Uint8Array(rows * columns)
  const actions = new Uint32Array(rows)
  const rewards = new Float64Array(rows)
  const totals = new Float64Array(rows)
  field.show(undefined, shown)
  for (let step = 0; step < environment.steps; step++) {
    field.mask(masks)
    const { probabilities } = policy.judge(parameters, shown, masks)
    for (let row = 0; row < rows; row++) actions[row] = mostProbable(probabilities, row * columns, columns)
    field.step(actions, rewards)
    field.show(actions, shown)
    for (let row = 0; row < rows; row++) totals[row] = (totals[row] ?? 0) + (rewards[row] ?? 0)
  }
  return totals
}

export function mostProbable(probabilities: Float32Array, from: number, count: number): number {
  let best = 0
  for (let i = 1; i < count; i++) if ((probabilities[from + i] ?? 0) > (probabilities[from + best] ?? 0)) best = i
  return best
}
