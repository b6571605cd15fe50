/** FedAvgM, Hsu et al. 2019, section 4.3: v = beta * v + delta; w_new = w_old + lr * v. */

import type { Strategy } from './strategy.ts'

export const fedavgm: Strategy = {
  name: 'fedavgm',
  stateNames: ['velocity'],
  usesPrevious: false,
  initialState: () => [0],
  apply({ weights, delta, state: [velocity = new Float32Array()] }, { serverLearningRate, momentum }) {
    for (let i = 0; i < weights.length; i++) {
      const next = momentum * (velocity[i] ?? 0) + (delta[i] ?? 0)
      velocity[i] = next
      weights[i] = (weights[i] ?? 0) + serverLearningRate * next
    }
  },
}
