/** The network-defence game of CAGE challenge 2 in the miniature form of CybORG++ (MiniCAGE, arXiv:2410.16324). */

import { fail } from '../../base/errors.ts'
import type { Prng } from '../../base/prng.ts'
import { actionCount, type BlueAction, decodeAction, isAllowed, writeMask } from './blue.ts'
import { compileTopology, type Network } from './network.ts'
import { type RedName, redAgent } from './red-agents.ts'
import { observationSize, writeObservation } from './sensors.ts'
import { type Batch, copyBatch, createBatch } from './state.ts'
import type { Topology } from './topology.ts'
import { advance, type Removal } from './turn.ts'

export interface EnvironmentOptions {
  readonly topology: Topology
  readonly red: RedName
  /** Steps of an episode; the challenge uses 30, 50 and 100. */
  readonly steps: number
  /** Default: 'any', as the miniature is published. */
  readonly removal?: Removal
}

export interface StepResult {
  readonly state: Batch
  readonly observation: Float32Array
  /** At most 0. */
  readonly reward: number
  /** True after the last step of the episode. */
  readonly done: boolean
}

export interface Environment {
  readonly network: Network
  readonly steps: number
  readonly observationSize: number
  readonly actionCount: number
  /** `size` episodes at their start; one unless told. */
  start(size?: number): Batch
  observe(state: Batch, row?: number): Float32Array
  /** 1 for each legal action. */
  mask(state: Batch, row?: number): Uint8Array
  /** One step of a single episode; `state` stays as it is. `invalid-request`: illegal action, or the episode is over. */
  step(state: Batch, blueAction: number, random: Prng): StepResult
  /**
   * One step of every episode, in place: `actions`, `randoms` and `rewards` hold one entry per episode, `observations`
   * is row-major. An episode goes the same way alone and in a batch. `invalid-request` when an action is illegal or a
   * length is wrong, and then nothing is changed.
   */
  stepAll(
    batch: Batch,
    actions: ArrayLike<number>,
    randoms: readonly Prng[],
    rewards: Float64Array,
    observations: Float32Array,
  ): void
}

const SLEEP: BlueAction = { kind: 'sleep', at: 0 }

export function createEnvironment(options: EnvironmentOptions): Environment {
  const { steps, removal = 'any' } = options
  if (!Number.isInteger(steps) || steps < 1 || steps > 10_000)
    fail('config-invalid', `an episode has no ${steps} steps`)
  const network = compileTopology(options.topology)
  const red = redAgent(options.red)
  const width = observationSize(network.slots)

  const legal = (batch: Batch, row: number, number: number): BlueAction => {
    const action = decodeAction(network.slots, number)
    if ((batch.steps[row] ?? 0) >= steps) return fail('invalid-request', `the episode ended after ${steps} steps`)
    if (action === undefined || !isAllowed(network, batch, row, action.kind, action.at))
      return fail('invalid-request', `action ${number} is not legal in this state`)
    return action
  }

  const observe = (batch: Batch, row = 0): Float32Array => {
    const observation = new Float32Array(width)
    writeObservation(network, batch, row, observation, 0)
    return observation
  }

  function mask(batch: Batch, row = 0): Uint8Array {
    const out = new Uint8Array(actionCount(network.slots))
    writeMask(network, batch, row, out)
    return out
  }

  function step(state: Batch, blueAction: number, random: Prng): StepResult {
    const action = legal(state, 0, blueAction)
    const next = copyBatch(state)
    const reward = advance(network, red, next, 0, action, random, removal)
    return { state: next, observation: observe(next), reward, done: (next.steps[0] ?? 0) >= steps }
  }

  function stepAll(
    batch: Batch,
    actions: ArrayLike<number>,
    randoms: readonly Prng[],
    rewards: Float64Array,
    observations: Float32Array,
  ): void {
    const { size } = batch
    if (actions.length !== size || randoms.length !== size || rewards.length !== size)
      fail('invalid-request', `a batch of ${size} takes as many actions, streams and rewards`)
    if (observations.length !== size * width)
      fail('invalid-request', `a batch of ${size} fills ${size * width} numbers`)
    const chosen = Array.from({ length: size }, (_, row) => legal(batch, row, actions[row] ?? -1))
    randoms.forEach((random, row) => {
      rewards[row] = advance(network, red, batch, row, chosen[row] ?? SLEEP, random, removal)
      writeObservation(network, batch, row, observations, row * width)
    })
  }

  return {
    network,
    steps,
    observationSize: width,
    actionCount: actionCount(network.slots),
    start: (size = 1) => createBatch(network, size),
    observe,
    mask,
    step,
    stepAll,
  }
}
