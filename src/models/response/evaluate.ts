/** Plays whole episodes and says what they earned. */

import { type Prng, prng } from '../../base/prng.ts'
import type { BlueAgent } from './blue-agents.ts'
import type { Environment } from './environment.ts'

export interface Earned {
  readonly episodes: number
  /** Mean of the total reward of an episode, and the standard error of that mean. */
  readonly mean: number
  readonly standardError: number
  readonly totals: Float64Array
}

/** Plays one episode to its end; its total reward. */
export function playEpisode(environment: Environment, agent: BlueAgent, random: Prng): number {
  let state = environment.start()
  let observation = environment.observe(state)
  let total = 0
  for (let step = 0; step < environment.steps; step++) {
    const result = environment.step(state, agent.act(observation, environment.mask(state), random), random)
    total += result.reward
    ;({ state, observation } = result)
  }
  return total
}

/** Plays `episodes` episodes, each with a stream of its own drawn from `seed`, and a fresh agent in each. */
export function playEpisodes(environment: Environment, agent: () => BlueAgent, episodes: number, seed: string): Earned {
  const totals = Float64Array.from({ length: episodes }, (_, episode) =>
    playEpisode(environment, agent(), prng(`${seed}/${episode}`)),
  )
  return earnedOf(totals)
}

export function earnedOf(totals: Float64Array): Earned {
  const episodes = totals.length
  const mean = totals.reduce((sum, total) => sum + total, 0) / episodes
  const variance = totals.reduce((sum, total) => sum + (total - mean) ** 2, 0) / Math.max(1, episodes - 1)
  return { episodes, mean, standardError: Math.sqrt(variance / episodes), totals }
}
