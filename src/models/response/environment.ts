/**
 * The network-defence game of CAGE challenge 2 in the miniature form of CybORG++ (MiniCAGE): blue and red act at once on
 * the same state, and where the two meet a restore comes before red's action, a remove, a decoy and an analysis after it
 * (README of CybORG++, "Action Space", table of priorities).
 */

import { fail } from '../../base/errors.ts'
import type { Prng } from '../../base/prng.ts'
import {
  actionCount,
  applyAfter,
  applyBefore,
  type BlueAction,
  decodeAction,
  isAllowed,
  RESTORE_REWARD,
  writeMask,
} from './blue.ts'
import { compileTopology, type Network } from './network.ts'
import { isLegal, land, RED_SLEEP, throwExploit } from './red.ts'
import { type RedAgent, type RedName, redAgent } from './red-agents.ts'
import { observationSize, rememberScans, sense, writeObservation } from './sensors.ts'
import { type Batch, copyBatch, createBatch, PRIVILEGED, SYSTEM_SHELL } from './state.ts'
import type { Topology } from './topology.ts'

export interface EnvironmentOptions {
  readonly topology: Topology
  readonly red: RedName
  /** Steps of an episode; the challenge uses 30, 50 and 100. */
  readonly steps: number
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
   * is row-major. An episode goes the same way alone and in a batch. Nothing is changed when an action is illegal.
   */
  stepAll(
    batch: Batch,
    actions: ArrayLike<number>,
    randoms: readonly Prng[],
    rewards: Float64Array,
    observations: Float32Array,
  ): void
}

export function createEnvironment(options: EnvironmentOptions): Environment {
  const { steps } = options
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
    const reward = advance(network, red, next, 0, action, random)
    return { state: next, observation: observe(next), reward, done: (next.steps[0] ?? 0) >= steps }
  }

  function stepAll(
    batch: Batch,
    actions: ArrayLike<number>,
    randoms: readonly Prng[],
    rewards: Float64Array,
    observations: Float32Array,
  ): void {
    const chosen = Array.from({ length: batch.size }, (_, row) => legal(batch, row, actions[row] ?? -1))
    chosen.forEach((action, row) => {
      const random = randoms[row] ?? fail('invalid-request', `there is no randomness for episode ${row}`)
      rewards[row] = advance(network, red, batch, row, action, random)
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

/** Both sides choose on the same state; red's exploit meets the decoys that stood before blue's action. */
function advance(network: Network, red: RedAgent, batch: Batch, row: number, blue: BlueAction, random: Prng): number {
  const wanted = red(network, batch, row, random)
  const possible = isLegal(network, batch, row, wanted)
  const thrown =
    possible && wanted.kind === 'exploit' ? throwExploit(network, batch, row, wanted.at, random) : undefined

  applyBefore(batch, row, blue)
  // What red wanted may have needed what a restore has just taken from it.
  const held = possible && isLegal(network, batch, row, wanted)
  if (held) land(network, batch, row, wanted, thrown)
  sense(network, batch, row, held ? wanted : RED_SLEEP, held ? thrown : undefined, random)
  applyAfter(network, batch, row, blue)
  rememberScans(batch, row)
  batch.steps[row] = (batch.steps[row] ?? 0) + 1
  return (blue.kind === 'restore' ? RESTORE_REWARD : 0) - loss(network, batch, row)
}

/** Confidentiality lost where red has the system account, availability where an impact was not undone. */
function loss(network: Network, batch: Batch, row: number): number {
  let total = 0
  for (let at = 0; at < batch.slots; at++) {
    const slot = row * batch.slots + at
    if (batch.access[slot] === PRIVILEGED || batch.access[slot] === SYSTEM_SHELL)
      total += network.confidentialityLoss[at] ?? 0
    if (batch.impacted[slot] === 1) total += network.availabilityLoss[at] ?? 0
  }
  return total
}
