/** FedAvg, McMahan et al. 2017, Algorithm 1: w_new = sum(n_i/n * w_i) = w_old + delta; with a server learning rate. */

import type { Strategy } from './strategy.ts'

export const fedavg: Strategy = {
  name: 'fedavg',
  stateNames: [],
  usesPrevious: false,
  initialState: () => [],
  apply({ weights, delta }, { serverLearningRate }) {
    for (let i = 0; i < weights.length; i++) weights[i] = (weights[i] ?? 0) + serverLearningRate * (delta[i] ?? 0)
  },
}
