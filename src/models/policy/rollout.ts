/** Whole episodes of many environments side by side, played by a policy that draws its actions. */

import { type Prng, prng } from '../../base/prng.ts'
import { fail } from '../../base/errors.ts'
import type { Environment } from '../response/environment.ts'
import { openField } from './field.ts'
import { createObserver } from './observer.ts'
import type { PolicySession } from './session.ts'
import type { PolicySpec } from './spec.ts'

export interface Played {
  /** Steps of an episode, episodes; everything below is step-major. */
  readonly steps: number
  readonly rows: number
  readonly observations: Float32Array
  readonly masks: Uint8Array
  readonly actions: Uint32Array
  readonly logs: Float32Array
  readonly values: Float32Array
  readonly rewards: Float64Array
  readonly lastValues: Float32Array
  /** Total reward of each episode. */
  readonly totals: Float64Array
}

/** Rows of one environment within a rollout. */
interface Share {
  readonly environment: Environment
  readonly from: number
  readonly rows: number
}

/** @throws wrong-shape unless the policy is of these environments' sizes, and these agree on the steps */
export function checkSizes(spec: PolicySpec, environments: readonly Environment[]): number {
  const [first] = environments
  if (first === undefined) return fail('no-data', 'a policy needs an environment to learn in')
  for (const { network, steps, actionCount } of environments) {
    const { size } = createObserver(network)
    if (spec.observations !== size || spec.actions !== actionCount)
      fail(
        'wrong-shape',
        `the policy takes ${spec.observations} numbers and ${spec.actions} actions; ` +
          `network ${network.name} of ${network.slots} slots has ${size} and ${actionCount}`,
      )
    if (steps !== first.steps) fail('config-invalid', 'environments of one training have episodes of one length')
  }
  return first.steps
}

/** Spreads `rows` episodes over the environments, the first ones getting what does not divide. */
function shares(environments: readonly Environment[], rows: number): Share[] {
  let from = 0
  return environments.map((environment, i) => {
    const count = Math.floor((rows + environments.length - 1 - i) / environments.length)
    const share = { environment, from, rows: count }
    from += count
    return share
  })
}

const streams = (rows: number, label: string): Prng[] =>
  Array.from({ length: rows }, (_, row) => prng(`${label}/${row}`))

/** Plays `rows` episodes from their start to their end; the seed names both the world's and the policy's draws. */
export function playRollout(
  spec: PolicySpec,
  session: PolicySession,
  environments: readonly Environment[],
  rows: number,
  seed: string,
): Played {
  const steps = checkSizes(spec, environments)
  const { observations: width, actions: columns } = spec
  const played: Played = {
    steps,
    rows,
    observations: new Float32Array(steps * rows * width),
    masks: new Uint8Array(steps * rows * columns),
    actions: new Uint32Array(steps * rows),
    logs: new Float32Array(steps * rows),
    values: new Float32Array(steps * rows),
    rewards: new Float64Array(steps * rows),
    lastValues: new Float32Array(rows),
    totals: new Float64Array(rows),
  }
  const draws = streams(rows, `${seed}/policy`)
  const uniforms = new Float64Array(rows)
  const fields = shares(environments, rows)
    .filter((share) => share.rows > 0)
    .map((share) => openField(share.environment, share.from, streams(share.rows, `${seed}/world/${share.from}`)))
  const shown = new Float32Array(rows * width)
  for (const field of fields) field.show(undefined, shown)
  for (let step = 0; step < steps; step++) {
    const at = step * rows
    played.observations.set(shown, at * width)
    const masks = played.masks.subarray(at * columns, (at + rows) * columns)
    for (const field of fields) field.mask(masks)
    draws.forEach((random, row) => (uniforms[row] = random.uniform()))
    const [actions, logs, values] = [played.actions, played.logs, played.values].map((array) =>
      array.subarray(at, at + rows),
    ) as [Uint32Array, Float32Array, Float32Array]
    session.draw(shown, masks, uniforms, { actions, logs, values })
    const rewards = played.rewards.subarray(at, at + rows)
    for (const field of fields) field.step(actions, rewards)
    rewards.forEach((reward, row) => (played.totals[row] = (played.totals[row] ?? 0) + reward))
    for (const field of fields) field.show(actions, shown)
  }
  const scratch = { actions: new Uint32Array(rows), logs: new Float32Array(rows), values: played.lastValues }
  session.draw(shown, played.masks.subarray(0, rows * columns), uniforms, scratch)
  return played
}
