/**
 * FedProx. The proximal term of Li et al. 2020 is in local training (`local.proximalMu`); the server's step is the one
 * of the ledger document, section 5.1: w_new = w_old - lr * (g + lambda * (w_old - w_prev)), with g = -delta. In the
 * first round there is no w_prev, and the term is zero.
 */

import type { Strategy } from './strategy.ts'

export const fedprox: Strategy = {
  name: 'fedprox',
  stateNames: [],
  usesPrevious: true,
  initialState: () => [],
  apply({ weights, delta, previous = weights }, { serverLearningRate, lambda }) {
    for (let i = 0; i < weights.length; i++) {
      const old = weights[i] ?? 0
      const gradient = lambda * (old - (previous[i] ?? 0)) - (delta[i] ?? 0)
      weights[i] = old - serverLearningRate * gradient
    }
  },
}
