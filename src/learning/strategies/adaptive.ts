/**
 * The common part of FedAdagrad, FedAdam and FedYogi: Reddi et al. 2021, Algorithm 2. Without bias correction, as there:
 *
 *   m = beta1 * m + (1 - beta1) * delta
 *   v = secondMoment(v, delta^2)
 *   w_new = w_old + lr * m / (sqrt(v) + tau)          with m_-1 = 0 and v_-1 >= tau^2
 */

import type { StrategyConfig, StrategyName } from '../config.ts'
import type { Strategy } from './strategy.ts'

export type SecondMoment = (v: number, squaredDelta: number, config: StrategyConfig) => number

/** tau^2 as a float32 that is not below it: the algorithm asks for v_-1 >= tau^2. */
function initialSecondMoment({ tau }: StrategyConfig): number {
  const nearest = Math.fround(tau * tau)
  return nearest >= tau * tau ? nearest : Math.fround(tau * tau * (1 + 2 ** -23))
}

export function adaptive(name: StrategyName, secondMoment: SecondMoment): Strategy {
  return {
    name,
    stateNames: ['m', 'v'],
    usesPrevious: false,
    initialState: (config) => [0, initialSecondMoment(config)],
    apply({ weights, delta, state: [m = new Float32Array(), v = new Float32Array()] }, config) {
      const { serverLearningRate, beta1, tau } = config
      for (let i = 0; i < weights.length; i++) {
        const d = delta[i] ?? 0
        const nextM = beta1 * (m[i] ?? 0) + (1 - beta1) * d
        const nextV = secondMoment(v[i] ?? 0, d * d, config)
        m[i] = nextM
        v[i] = nextV
        weights[i] = (weights[i] ?? 0) + (serverLearningRate * nextM) / (Math.sqrt(nextV) + tau)
      }
    },
  }
}
