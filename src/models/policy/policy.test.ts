import { describe, expect, it } from 'vitest'
import { loadKernels } from '../../../test/kernels.ts'
import { prng } from '../../base/prng.ts'
import { createEnvironment } from '../response/environment.ts'
import { playEpisodes } from '../response/evaluate.ts'
import { blueAgent } from '../response/blue-agents.ts'
import { CAGE2 } from '../response/topologies/cage2.ts'
import { drawTopology } from '../response/topologies/drawn.ts'
import { estimateAdvantages, standardise } from './advantages.ts'
import { evaluatePolicy } from './evaluate.ts'
import { policyKernels } from './kernels.ts'
import { localWork } from './local-work.ts'
import { createObserver, policyObservations } from './observer.ts'
import { planPolicy } from './plan.ts'
import { createPolicy } from './policy.ts'
import { referencePolicyLoss } from './reference.ts'
import { openSession, type PolicyRows } from './session.ts'
import { parsePolicySpec, type PolicySpec } from './spec.ts'
import type { PolicyTrainOptions } from './train.ts'

const kernels = loadKernels()
/** Three slots of two numbers each. */
const small: PolicySpec = { kind: 'policy', observations: 6, actions: 13, hidden: [7, 6], slots: 'alike' }
const weights = { clip: 0.2, entropyWeight: 0.03, valueWeight: 0.5 }

/** Rows with masks, of which some are held by the clip and some are not. */
function rowsOf(spec: PolicySpec, count: number, seed: string): PolicyRows {
  const random = prng(seed)
  const masks = Uint8Array.from({ length: count * spec.actions }, () => (random.uniform() < 0.7 ? 1 : 0))
  const actions = Uint32Array.from({ length: count }, (_, row) => {
    const action = random.below(spec.actions)
    masks[row * spec.actions + action] = 1
    return action
  })
  return {
    observations: Float32Array.from({ length: count * spec.observations }, () => random.uniform() * 2 - 1),
    masks,
    actions,
    logs: Float32Array.from({ length: count }, () => -1.5 + random.uniform()),
    advantages: Float32Array.from({ length: count }, () => random.normal()),
    targets: Float32Array.from({ length: count }, () => random.normal()),
  }
}

const relativeError = (exact: Float64Array, other: ArrayLike<number>): number => {
  const size = exact.reduce((sum, value) => sum + value * value, 0)
  return Math.sqrt(exact.reduce((sum, value, i) => sum + (value - (other[i] ?? 0)) ** 2, 0) / size)
}

describe.each(['alike', 'apart'] as const)('gradients of the PPO loss, slots %s', (slots) => {
  const spec: PolicySpec = { ...small, slots }
  const plan = planPolicy(spec)
  const rows = rowsOf(small, 40, 'gradient')
  const random = prng('start')
  const start = createPolicy(spec, kernels)
    .initialise('gradient')
    .map((value) => value + (random.uniform() - 0.5) / 2)
  const point = Float64Array.from(start)
  const exact = new Float64Array(plan.parameterCount)
  const loss = referencePolicyLoss(plan, point, rows, weights, exact)

  it('of the float64 reference equal central differences within 1e-6', () => {
    const differences = point.map((value, i) => {
      const h = 1e-5
      point[i] = value + h
      const above = referencePolicyLoss(plan, point, rows, weights)
      point[i] = value - h
      const below = referencePolicyLoss(plan, point, rows, weights)
      point[i] = value
      return (above - below) / (2 * h)
    })
    expect(relativeError(differences, exact)).toBeLessThan(1e-6)
  })

  it('of the kernels equal the reference within 1e-3, and so does the loss', () => {
    const session = openSession(plan, kernels, start, 40)
    const picked = Uint32Array.from({ length: 40 }, (_, row) => row)
    const { surrogate, value, entropy, held, divergence } = session.gradientOf(rows, picked, weights)
    const gradient = kernels.arena.float32(session.gradient, plan.parameterCount).slice()
    session.release()
    expect(relativeError(exact, gradient)).toBeLessThan(1e-5)
    expect(surrogate + 0.5 * value - 0.03 * entropy).toBeCloseTo(loss, 5)
    expect(held).toBeGreaterThan(0.05)
    expect(held).toBeLessThan(0.95)
    expect(divergence).toBeGreaterThan(0)
  })
})

describe('masked actions', () => {
  it('have no probability, are never drawn and pass no gradient', () => {
    const policy = createPolicy(small, kernels)
    const rows = rowsOf(small, 500, 'masks')
    const parameters = policy.initialise('masks')
    const { probabilities } = policy.judge(parameters, rows.observations, rows.masks)
    for (let row = 0; row < 500; row++) {
      const chances = [...probabilities.subarray(row * 13, row * 13 + 13)]
      expect(chances.reduce((sum, p) => sum + p, 0)).toBeCloseTo(1, 5)
      chances.forEach((p, i) => expect(p > 0).toBe(rows.masks[row * 13 + i] === 1))
    }
    const session = openSession(planPolicy(small), kernels, parameters, 500)
    const drawn = { actions: new Uint32Array(500), logs: new Float32Array(500), values: new Float32Array(500) }
    const random = prng('draws')
    session.draw(rows.observations, rows.masks, Float64Array.from({ length: 500 }, random.uniform), drawn)
    session.release()
    drawn.actions.forEach((action, row) => {
      expect(rows.masks[row * 13 + action]).toBe(1)
      expect(drawn.logs[row]).toBeCloseTo(Math.log(probabilities[row * 13 + action] ?? 0), 5)
    })
  })

  it('leave the others drawn as often as they are probable', () => {
    const policy = createPolicy(small, kernels)
    const count = 20_000
    const observations = new Float32Array(count * 6).fill(0.3)
    const masks = new Uint8Array(count * 13).map((_, i) => (i % 13 === 2 ? 0 : 1))
    const parameters = policy.initialise('often').map((value, i) => value + (i % 3) * 0.2)
    const { probabilities } = policy.judge(parameters, observations.subarray(0, 6), masks.subarray(0, 13))
    const session = openSession(planPolicy(small), kernels, parameters, count)
    const drawn = { actions: new Uint32Array(count), logs: new Float32Array(count), values: new Float32Array(count) }
    const random = prng('often')
    session.draw(observations, masks, Float64Array.from({ length: count }, random.uniform), drawn)
    session.release()
    for (let action = 0; action < 13; action++) {
      const share = drawn.actions.filter((one) => one === action).length / count
      expect(Math.abs(share - (probabilities[action] ?? 0))).toBeLessThan(0.015)
    }
  })
})

it('the deterministic logarithm is within two units in the last place of the exact one', () => {
  const { logOf } = policyKernels(kernels)
  for (const x of [1e-300, 1e-8, 0.5, Math.SQRT1_2, 0.999999, 1, 1.0000001, 1.4, Math.SQRT2, 2, Math.E, 53, 1e20])
    expect(Math.abs(logOf(x) - Math.log(x))).toBeLessThanOrEqual(2 ** -51 * Math.max(Math.abs(Math.log(x)), 1e-7))
})

describe('advantages', () => {
  const random = prng('advantages')
  const [steps, rows] = [6, 2]
  const trajectory = {
    steps,
    rows,
    rewards: Float64Array.from({ length: 12 }, () => -random.uniform()),
    values: Float32Array.from({ length: 12 }, () => -random.uniform()),
    lastValues: Float32Array.of(-0.5, -2),
  }

  it('are the exponentially weighted sum of temporal differences of their own episode', () => {
    const [discount, lambda] = [0.9, 0.8]
    const { advantages, targets } = estimateAdvantages(trajectory, discount, lambda)
    for (let row = 0; row < rows; row++)
      for (let t = 0; t < steps; t++) {
        let expected = 0
        for (let k = t; k < steps; k++) {
          const next = k + 1 < steps ? trajectory.values[(k + 1) * rows + row] : trajectory.lastValues[row]
          const difference =
            (trajectory.rewards[k * rows + row] ?? 0) +
            discount * (next ?? 0) -
            (trajectory.values[k * rows + row] ?? 0)
          expected += (discount * lambda) ** (k - t) * difference
        }
        expect(advantages[t * rows + row]).toBeCloseTo(expected, 5)
        expect(targets[t * rows + row]).toBeCloseTo(expected + (trajectory.values[t * rows + row] ?? 0), 5)
      }
  })

  it('have mean 0 and deviation 1 once standardised', () => {
    const values = Float32Array.from({ length: 1000 }, () => 3 + 7 * random.normal())
    standardise(values)
    const mean = values.reduce((sum, value) => sum + value, 0) / 1000
    expect(mean).toBeCloseTo(0, 4)
    expect(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 1000).toBeCloseTo(1, 3)
  })
})

const spec: PolicySpec = {
  kind: 'policy',
  observations: policyObservations(13),
  actions: 53,
  hidden: [16, 16],
  slots: 'alike',
}
const environment = createEnvironment({ topology: CAGE2, red: 'b-line', steps: 30, removal: 'standing' })
const options: PolicyTrainOptions = {
  iterations: 2,
  episodes: 8,
  epochs: 2,
  batchSize: 64,
  learningRate: 1e-3,
  optimiser: 'adam',
  proximalMu: 0,
  seed: 'test',
}

describe('training', () => {
  const policy = createPolicy(spec, kernels)
  const start = policy.initialise('a')

  it('is the same for the same request, in other kernels too; leaves its arguments alone, and differs by the seed (P7)', () => {
    const before = start.slice()
    const inUse = kernels.arena.bytesInUse
    const first = policy.train(start, [environment], options)
    expect(start).toEqual(before)
    expect(createPolicy(spec, loadKernels()).train(start, [environment], options)).toEqual(first)
    expect(policy.train(start, [environment], { ...options, seed: 'other' }).parameters).not.toEqual(first.parameters)
    expect(first.steps).toBe(2 * 8 * 30)
    expect(kernels.arena.bytesInUse).toBe(inUse)
  })

  it('earns more than an agent that acts at random, after a few thousand steps', () => {
    const rewards: number[] = []
    const asked = { ...options, iterations: 60, episodes: 32, epochs: 4, batchSize: 240, learningRate: 2e-3 }
    const { parameters } = policy.train(start, [environment], asked, ({ reward }) => rewards.push(reward))
    const random = playEpisodes(environment, () => blueAgent('random', environment), 100, 'judge').mean
    const learned = evaluatePolicy(policy, parameters, environment, 100, 'judge').mean
    expect(rewards).toHaveLength(60)
    expect(learned).toBeGreaterThan(random / 4)
  }, 60_000)

  it('holds closer to the global parameters the larger the proximal weight', () => {
    const distances = [0, 10, 1000].map((proximalMu) => {
      const asked: PolicyTrainOptions = { ...options, optimiser: 'sgd', learningRate: 1e-3, proximalMu }
      return kernels.squaredDistance(policy.train(start, [environment], asked).parameters, start)
    })
    expect(distances[1]).toBeLessThan(distances[0] ?? 0)
    expect(distances[2]).toBeLessThan((distances[1] ?? 0) / 2)
  })

  it('with one step of SGD contributes a gradient: the update grows as the learning rate does', () => {
    const updateAt = (learningRate: number): Float32Array => {
      const work = { epochs: 1, batchSize: 240, optimiser: 'sgd', proximalMu: 0, rowsMax: 240, seed: 'g' } as const
      const asked = localWork({ ...work, learningRate }, 30)
      expect(asked).toMatchObject({ iterations: 1, episodes: 8 })
      return policy.train(start, [environment], asked).parameters.map((value, i) => value - (start[i] ?? 0))
    }
    const [one, double] = [updateAt(0.5), updateAt(1)]
    expect(kernels.squaredNorm(one)).toBeGreaterThan(0)
    const doubled = Float64Array.from(one, (value) => 2 * value)
    expect(relativeError(doubled, double)).toBeLessThan(1e-4)
  })

  it('refuses sizes and options that it cannot use, and says when it diverged', () => {
    const code = (expected: string) => expect.objectContaining({ code: expected })
    const inUse = kernels.arena.bytesInUse
    expect(() => policy.train(start, [], options)).toThrow(code('no-data'))
    expect(() => policy.train(start.subarray(1), [environment], options)).toThrow(code('wrong-shape'))
    const other = createPolicy({ ...spec, observations: policyObservations(12), actions: 49 }, kernels)
    expect(() => other.train(other.initialise('a'), [environment], options)).toThrow(code('wrong-shape'))
    for (const bad of [{ iterations: 0 }, { epochs: 1.5 }, { learningRate: 0 }, { proximalMu: -1 }])
      expect(() => policy.train(start, [environment], { ...options, ...bad })).toThrow(code('invalid-request'))
    const wild: PolicyTrainOptions = { ...options, optimiser: 'sgd', learningRate: 1e30 }
    expect(() => policy.train(start, [environment], wild)).toThrow(code('not-finite'))
    expect(() => policy.judge(start, new Float32Array(5), new Uint8Array(53))).toThrow(code('wrong-shape'))
    expect(kernels.arena.bytesInUse).toBe(inUse)
  })
})

describe('local work', () => {
  const work = { epochs: 4, batchSize: 800, learningRate: 1e-3, optimiser: 'adam', proximalMu: 0, seed: 's' } as const
  it('plays as many whole iterations as the steps allow, and at least one', () => {
    expect(localWork({ ...work, rowsMax: 12_800 }, 100)).toMatchObject({ iterations: 4, episodes: 32 })
    expect(localWork({ ...work, rowsMax: 1000 }, 100)).toMatchObject({ iterations: 1, episodes: 10 })
    expect(localWork({ ...work, rowsMax: 1 }, 100)).toMatchObject({ iterations: 1, episodes: 1 })
  })
})

describe('what a policy is shown', () => {
  it('is a function of the network, of the observations and of its own actions alone', () => {
    const network = environment.network
    const observer = createObserver(network)
    const random = prng('shown')
    const history: { raw: Float32Array; action: number | undefined }[] = []
    let state = environment.start()
    history.push({ raw: environment.observe(state), action: undefined })
    for (let step = 0; step < 30; step++) {
      const legal = [...environment.mask(state).entries()].filter(([, one]) => one === 1).map(([action]) => action)
      const action = legal[random.below(legal.length)] ?? 0
      const turn = environment.step(state, action, random)
      state = turn.state
      history.push({ raw: turn.observation, action })
    }
    const play = (row: number, rows: number): Float32Array[] => {
      const memory = observer.remember(rows)
      return history.map(({ raw, action }) => {
        const out = new Float32Array(rows * observer.size)
        observer.observe(memory, row, raw, 0, action, out, row * observer.size)
        return out.slice(row * observer.size, (row + 1) * observer.size)
      })
    }
    const once = play(0, 1)
    expect(play(2, 4)).toEqual(once)
    for (const shown of once) for (const value of shown) expect(value >= 0 && value <= 1).toBe(true)
    const memory = observer.remember(1)
    const again = new Float32Array(observer.size)
    for (const { raw, action } of history) observer.observe(memory, 0, raw, 0, action, again, 0)
    observer.forget(memory, 0)
    observer.observe(memory, 0, history[0]?.raw ?? new Float32Array(0), 0, undefined, again, 0)
    expect(again).toEqual(once[0])
  })

  it('leaves an empty slot at zero, and says how exposed a host is under its decoys', () => {
    const drawn = createEnvironment({ topology: drawTopology('empty', prng('empty')), red: 'meander', steps: 10 })
    const observer = createObserver(drawn.network)
    const out = new Float32Array(observer.size)
    observer.observe(observer.remember(1), 0, drawn.observe(drawn.start()), 0, undefined, out, 0)
    drawn.network.present.forEach((present, at) => {
      const own = out.subarray(22 * at, 22 * at + 22)
      if (!present) expect([...own]).toEqual(Array(22).fill(0))
    })
    const cage = createObserver(environment.network)
    const shown = new Float32Array(cage.size)
    const memory = cage.remember(1)
    const state = environment.start()
    cage.observe(memory, 0, environment.observe(state), 0, undefined, shown, 0)
    expect(shown[22 * 2 + 6]).toBeCloseTo(0.75 + (0.25 * 3) / 4, 6)
    const femitter = environment.step(state, 1 + 13 + 2, prng('decoy'))
    cage.observe(memory, 0, femitter.observation, 0, 1 + 13 + 2, shown, 0)
    expect(shown[22 * 2 + 6]).toBeCloseTo(0.25 * (4 / 5), 6)
  })
})

describe('specifications', () => {
  it('give a layout in name order whose sizes are the parameters', () => {
    const { layout, parameterCount } = createPolicy({ ...small, hidden: [3, 2] }, kernels)
    const names = layout.map(({ name }) => name)
    expect(names).toEqual(names.toSorted())
    const sizes = layout.map(({ shape }) => shape.reduce((product, size) => product * size, 1))
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(parameterCount)
  })

  it('that this version cannot build are refused', () => {
    for (const bad of [
      null,
      {},
      { ...small, kind: 'mlp' },
      { ...small, actions: 0 },
      { ...small, hidden: [0.5, 1] },
      { ...small, hidden: [4] },
      { ...small, slots: 'both' },
      { ...small, actions: 12 },
      { ...small, observations: 7 },
    ])
      expect(() => parsePolicySpec(bad)).toThrow(expect.objectContaining({ code: 'model-invalid' }))
  })
})
