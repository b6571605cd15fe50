/** One organisation's share of a round, in the words of a training configuration. */

import type { PolicyTrainOptions } from './train.ts'

export interface LocalWork {
  readonly epochs: number
  readonly batchSize: number
  readonly learningRate: number
  readonly optimiser: 'adam' | 'sgd'
  readonly proximalMu: number
  /** Of a policy: steps of the environment in one round, rounded to whole episodes. */
  readonly rowsMax: number
  readonly seed: string
}

/** Episodes that are played before the policy learns from them. */
const EPISODES = 32

/**
 * As many iterations of EPISODES episodes as fit into `rowsMax` steps, at least one. When one batch holds all the steps of
 * the round, they are played at once: with `sgd` and one epoch the work is then a single step, so the update is
 * -learningRate times the gradient of the loss at the global parameters, and what the organisation contributes is a
 * gradient. With anything else it contributes weights. Servers take either: FedAdam and its like read an update as a
 * gradient anyway (Reddi et al. 2021).
 */
export function localWork(work: LocalWork, stepsOfEpisode: number): PolicyTrainOptions {
  const { rowsMax, batchSize, epochs, learningRate, optimiser, proximalMu, seed } = work
  const wanted = Math.max(1, Math.floor(rowsMax / stepsOfEpisode))
  const atOnce = batchSize >= wanted * stepsOfEpisode
  const episodes = atOnce ? wanted : Math.min(EPISODES, wanted)
  const iterations = Math.max(1, Math.floor(wanted / episodes))
  return { iterations, episodes, epochs, batchSize, learningRate, optimiser, proximalMu, seed }
}
