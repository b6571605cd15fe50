/**
 * Blue agents that follow a rule: the yardsticks of the challenge (CybORG++, Emerson et al., arXiv:2410.16324, table of
 * the agents' rewards) and two plainer ones.
 */

import type { Prng } from '../../base/prng.ts'
import { BLUE_SLEEP, encodeAction } from './blue.ts'
import type { Environment } from './environment.ts'
import type { Network } from './network.ts'

export const BLUE_AGENTS = ['sleep', 'random', 'react-remove', 'react-restore', 'react-decoy'] as const
export type BlueName = (typeof BLUE_AGENTS)[number]

/** Plays one episode: remembers what it did in it. */
export interface BlueAgent {
  act(observation: Float32Array, mask: Uint8Array, random: Prng): number
}

/** A fresh agent for one episode. `decoys` are slots in the order in which the decoy agent fills them. */
export function blueAgent(name: BlueName, environment: Environment, decoys: readonly number[] = []): BlueAgent {
  const { network } = environment
  switch (name) {
    case 'sleep':
      return { act: () => BLUE_SLEEP }
    case 'random':
      return { act: (_, mask, random) => drawLegal(mask, random) }
    case 'react-remove':
      return { act: (observation, mask) => react(network, 'remove', observation, mask) }
    case 'react-restore':
      return { act: (observation, mask) => react(network, 'restore', observation, mask) }
    case 'react-decoy':
      return reactDecoy(network, decoys)
  }
}

/** Where the published decoy agent puts its decoys: the servers on the way to the target, the target more than once. */
export const CAGE2_DECOY_ORDER: readonly number[] = [3, 7, 2, 1, 7, 7, 1, 7, 1, 1]

function drawLegal(mask: Uint8Array, random: Prng): number {
  const legal = [...mask.keys()].filter((action) => mask[action] === 1)
  return legal[random.below(legal.length)] ?? BLUE_SLEEP
}

/** Acts on the first host that shows a compromise. */
function react(network: Network, kind: 'remove' | 'restore', observation: Float32Array, mask: Uint8Array): number {
  for (let at = 0; at < network.slots; at++) {
    const action = encodeAction(network.slots, kind, at)
    if (observation[4 * at + 3] === 1 && mask[action] === 1) return action
  }
  return BLUE_SLEEP
}

/** Restores what shows a compromise and puts up decoys while nothing does; what a restore wiped is not put up again. */
function reactDecoy(network: Network, order: readonly number[]): BlueAgent {
  let next = 0
  return {
    act(observation, mask) {
      const restore = react(network, 'restore', observation, mask)
      const at = order[next]
      if (restore !== BLUE_SLEEP || at === undefined) return restore
      next++
      const decoy = encodeAction(network.slots, 'decoy', at)
      return mask[decoy] === 1 ? decoy : BLUE_SLEEP
    },
  }
}
