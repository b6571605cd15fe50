import { describe, expect, it } from 'vitest'
import { parseTrainingConfig, type StrategyConfig } from '../config.ts'
import { STRATEGIES } from './strategies.ts'

function config(strategy: Record<string, unknown>): StrategyConfig {
  return parseTrainingConfig({ strategy }, { kind: 'mlp', inputs: 1, hidden: [] }).strategy
}

interface Scalar {
  readonly weights: number
  readonly state: readonly number[]
}

/** One step on a single coordinate. */
function step(
  strategy: StrategyConfig,
  weight: number,
  delta: number,
  state?: readonly number[],
  previous?: number,
): Scalar {
  const { apply, initialState } = STRATEGIES[strategy.name]
  const one = (value: number): Float32Array => Float32Array.of(value)
  const weights = one(weight)
  const states = (state ?? initialState(strategy)).map(one)
  apply(
    { weights, delta: one(delta), previous: previous === undefined ? undefined : one(previous), state: states },
    strategy,
  )
  return { weights: weights[0] ?? Number.NaN, state: states.map((values) => values[0] ?? Number.NaN) }
}

const near = (value: number): unknown => expect.closeTo(value, 6)

describe('FedAvg (McMahan et al. 2017)', () => {
  it('with learning rate 1 moves to the weighted mean of the models', () => {
    // w_1 = 1.5 (n = 1), w_2 = 3.5 (n = 3): mean 3. From w_old = 1: delta = (1 * 0.5 + 3 * 2.5) / 4 = 2; 1 + 2 = 3.
    expect(step(config({ name: 'fedavg' }), 1, 2).weights).toBe(3)
  })

  it('scales the step by the server learning rate', () => {
    // 1 + 0.5 * 2 = 2
    expect(step(config({ name: 'fedavg', serverLearningRate: 0.5 }), 1, 2).weights).toBe(2)
  })
})

describe('FedProx (ledger document, section 5.1)', () => {
  const strategy = config({ name: 'fedprox', serverLearningRate: 0.5, lambda: 0.25 })

  it('holds back a step that goes on in the direction of the last one', () => {
    // g = -2; w_new = 3 - 0.5 * (-2 + 0.25 * (3 - 1)) = 3 - 0.5 * (-1.5) = 3.75
    expect(step(strategy, 3, 2, undefined, 1).weights).toBe(3.75)
  })

  it('has no proximal term in the first round, when there is no previous model', () => {
    // w_new = 3 - 0.5 * (-2) = 4
    expect(step(strategy, 3, 2).weights).toBe(4)
  })
})

describe('FedAvgM (Hsu et al. 2019)', () => {
  it('accumulates velocity', () => {
    const strategy = config({ name: 'fedavgm', momentum: 0.5 })
    // v_0 = 0.5 * 0 + 2 = 2, w = 1 + 2 = 3; v_1 = 0.5 * 2 + 1 = 2, w = 3 + 2 = 5
    const first = step(strategy, 1, 2)
    expect(first).toEqual({ weights: 3, state: [2] })
    expect(step(strategy, first.weights, 1, first.state)).toEqual({ weights: 5, state: [2] })
  })
})

describe('the adaptive strategies (Reddi et al. 2021, Algorithm 2)', () => {
  // tau = 0.5, so v_-1 = tau^2 = 0.25 exactly; beta1 = 0.5, beta2 = 0.75, lr = 1, delta_0 = 2, delta_1 = -1, w = 10.
  const parameters = { serverLearningRate: 1, beta1: 0.5, beta2: 0.75, tau: 0.5 }

  it('FedAdagrad', () => {
    const strategy = config({ name: 'fedadagrad', ...parameters })
    // m_0 = 0.5*0 + 0.5*2 = 1; v_0 = 0.25 + 4 = 4.25; w = 10 + 1 / (2.0615528 + 0.5) = 10.3903882
    const first = step(strategy, 10, 2)
    expect(first).toEqual({ weights: near(10.3903882), state: [1, 4.25] })
    // m_1 = 0.5*1 - 0.5 = 0: no step; v_1 = 4.25 + 1 = 5.25
    expect(step(strategy, first.weights, -1, first.state)).toEqual({ weights: first.weights, state: [0, 5.25] })
  })

  it('FedAdam', () => {
    const strategy = config({ name: 'fedadam', ...parameters })
    // m_0 = 1; v_0 = 0.75*0.25 + 0.25*4 = 1.1875; w = 10 + 1 / (1.0897247 + 0.5) = 10.6290398
    const first = step(strategy, 10, 2)
    expect(first).toEqual({ weights: near(10.6290398), state: [1, 1.1875] })
    // delta_1 = 1: m_1 = 0.5*1 + 0.5*1 = 1; v_1 = 0.75*1.1875 + 0.25*1 = 1.140625; step = 1 / (1.0680005 + 0.5) = 0.6377549
    const second = step(strategy, 0, 1, first.state)
    expect(second).toEqual({ weights: near(0.6377549), state: [1, 1.140625] })
  })

  it('FedYogi', () => {
    const strategy = config({ name: 'fedyogi', ...parameters })
    // sign(0.25 - 4) = -1: v_0 = 0.25 + 0.25*4 = 1.25; m_0 = 1; w = 10 + 1 / (1.1180340 + 0.5) = 10.6180340
    const first = step(strategy, 10, 2)
    expect(first).toEqual({ weights: near(10.618034), state: [1, 1.25] })
    // delta_1 = 1: sign(1.25 - 1) = 1: v_1 = 1.25 - 0.25*1 = 1; m_1 = 1; step = 1 / (1 + 0.5) = 0.6666667
    expect(step(strategy, 0, 1, first.state)).toEqual({ weights: near(0.6666667), state: [1, 1] })
  })

  it('start from m = 0 and v >= tau^2, whatever tau rounds to', () => {
    for (const name of ['fedadagrad', 'fedadam', 'fedyogi'] as const)
      for (const tau of [1e-3, 0.1, 0.3, 7e-5, 0.5]) {
        const [m = 1, v = 0] = STRATEGIES[name].initialState(config({ name, tau }))
        expect(m).toBe(0)
        expect(v).toBe(Math.fround(v))
        expect(v).toBeGreaterThanOrEqual(tau * tau)
        expect(v).toBeLessThan(tau * tau * 1.000001)
      }
  })

  it('do not correct bias: a constant update in the first step moves by (1 - beta1) / sqrt(1 - beta2)', () => {
    // beta1 = 0.9, beta2 = 0.99, delta >> tau: m = 0.1 delta, sqrt(v) = 0.1 delta, so the step is the learning rate.
    expect(step(config({ name: 'fedadam', serverLearningRate: 0.03, tau: 1e-6 }), 0, 1).weights).toBeCloseTo(0.03, 5)
  })
})

describe('every strategy', () => {
  it('stays where it is when there is nothing to move for', () => {
    for (const name of Object.keys(STRATEGIES))
      expect(step(config({ name }), 1.25, 0, undefined, 1.25).weights).toBe(1.25)
  })

  it('goes with the update in the first round', () => {
    for (const name of Object.keys(STRATEGIES)) {
      expect(step(config({ name }), 1, 0.5).weights).toBeGreaterThan(1)
      expect(step(config({ name }), 1, -0.5).weights).toBeLessThan(1)
    }
  })
})
