import { describe, expect, it } from 'vitest'
import { loadKernels } from '../../test/kernels.ts'
import { sha256Hex } from '../base/hash.ts'
import { prng } from '../base/prng.ts'
import { defaultPositiveWeight, POSITIVE_WEIGHT_MAX } from './training-loop.ts'
import { createModel, type LabelledBatchSource, type MlpSpec, parseModelSpec, type TrainOptions } from './model.ts'

const kernels = loadKernels()
const spec: MlpSpec = { kind: 'mlp', inputs: 5, hidden: [7, 6] }
const options: TrainOptions = {
  epochs: 1,
  batchSize: 64,
  learningRate: 1e-3,
  optimiser: 'adam',
  proximalMu: 0,
  seed: 'test',
}

/** Rows whose label is 1 where the product of two features is positive: no linear model learns it. */
function exclusiveOr(rows: number, width: number, seed: string): LabelledBatchSource {
  const random = prng(seed)
  const features = Float32Array.from({ length: rows * width }, () => random.uniform() * 2 - 1)
  const labels = Uint8Array.from({ length: rows }, (_, i) =>
    (features[i * width] ?? 0) * (features[i * width + 1] ?? 0) > 0 ? 1 : 0,
  )
  return { rows, width, features, labels }
}

/** Float64 weighted mean logistic loss of a perceptron, written without the kernels. */
function referenceLoss(
  of: MlpSpec,
  parameters: Float64Array,
  data: LabelledBatchSource,
  positiveWeight: number,
): number {
  const widths = [of.inputs, ...of.hidden, 1]
  let sum = 0
  let weightSum = 0
  for (let row = 0; row < data.rows; row++) {
    let values: number[] = [...data.features.subarray(row * data.width, (row + 1) * data.width)]
    let at = 0
    for (let layer = 0; layer + 1 < widths.length; layer++) {
      const outputs = widths[layer + 1] ?? 0
      const next = Array.from({ length: outputs }, (_, j) => parameters[at + j] ?? 0)
      at += outputs
      for (const value of values)
        for (let j = 0; j < outputs; j++) next[j] = (next[j] ?? 0) + value * (parameters[at++] ?? 0)
      values = layer + 2 < widths.length ? next.map((x) => Math.max(0, x)) : next
    }
    const logit = values[0] ?? 0
    const label = data.labels[row] ?? 0
    const weight = (label === 1 ? positiveWeight : 1) * (data.weights?.[row] ?? 1)
    sum += weight * (Math.max(logit, 0) + Math.log1p(Math.exp(-Math.abs(logit))) - label * logit)
    weightSum += weight
  }
  return sum / weightSum
}

describe('gradients', () => {
  const batch = exclusiveOr(33, 5, 'gradient')
  const weights = Float32Array.from({ length: 33 }, (_, i) => 0.5 + (i % 3))

  for (const [what, of, data, positiveWeight] of [
    ['of two hidden layers', spec, batch, 1],
    ['of weighted rows and classes', spec, { ...batch, weights }, 3],
    ['of a logistic regression', { kind: 'mlp', inputs: 5, hidden: [] }, batch, 1],
    ['of one layer that is wider than a panel', { kind: 'mlp', inputs: 5, hidden: [19] }, batch, 2],
  ] as const)
    it(`${what} equal float64 central differences within 1e-3`, () => {
      const model = createModel(of, kernels)
      const start = model.initialise('gradient').map((value, i) => value + (i % 2 === 0 ? 0.05 : -0.05))
      // One SGD step of rate 1 over the whole batch moves the parameters by the gradient.
      const step: TrainOptions = { ...options, optimiser: 'sgd', learningRate: 1, batchSize: 33, positiveWeight }
      const { parameters, loss } = model.train(start, data, step)
      const point = Float64Array.from(start)
      expect(loss).toBeCloseTo(referenceLoss(of, point, data, positiveWeight), 5)
      const differences = Float64Array.from(point, (value, i) => {
        const h = 1e-5
        point[i] = value + h
        const above = referenceLoss(of, point, data, positiveWeight)
        point[i] = value - h
        const below = referenceLoss(of, point, data, positiveWeight)
        point[i] = value
        return (above - below) / (2 * h)
      })
      const size = Math.sqrt(differences.reduce((sum, d) => sum + d * d, 0))
      const error = Math.sqrt(
        differences.reduce((sum, d, i) => sum + (d - ((start[i] ?? 0) - (parameters[i] ?? 0))) ** 2, 0),
      )
      expect(size).toBeGreaterThan(0.01)
      expect(error / size).toBeLessThan(1e-3)
    })
})

describe('training', () => {
  const data = exclusiveOr(4000, 5, 'training')

  it('learns what no linear model can', () => {
    const model = createModel({ kind: 'mlp', inputs: 5, hidden: [16, 16] }, kernels)
    const { parameters, loss } = model.train(model.initialise('a'), data, {
      ...options,
      epochs: 20,
      learningRate: 5e-3,
    })
    const logits = model.score(parameters, data.features, data.rows)
    const right = data.labels.reduce((count, label, i) => count + ((logits[i] ?? 0) > 0 === (label === 1) ? 1 : 0), 0)
    expect(right / data.rows).toBeGreaterThan(0.97)
    expect(loss).toBeLessThan(0.12)
  })

  it('gives the very bits that every other machine gives (P7)', () => {
    const model = createModel(spec, kernels)
    const { parameters } = model.train(model.initialise('a'), data, { ...options, epochs: 2, proximalMu: 0.01 })
    expect(sha256Hex(new Uint8Array(parameters.buffer))).toMatchInlineSnapshot(
      `"44d2a812732c327d9c5735a1c87cf1b2b2e4eeedb53d2ed238b18d4b80e779c8"`,
    )
  })

  it('is the same for the same request, leaves its arguments alone, and differs by the seed', () => {
    const model = createModel(spec, kernels)
    const start = model.initialise('a')
    const before = start.slice()
    const first = model.train(start, data, options)
    expect(start).toEqual(before)
    expect(createModel(spec, loadKernels()).train(start, data, options).parameters).toEqual(first.parameters)
    expect(model.train(start, data, { ...options, seed: 'other' }).parameters).not.toEqual(first.parameters)
    expect(first.steps).toBe(63)
  })

  it('holds closer to the global model the larger the proximal weight', () => {
    const model = createModel(spec, kernels)
    const start = model.initialise('a')
    const distances = [0, 1, 100].map((proximalMu) => {
      const run: TrainOptions = { ...options, optimiser: 'sgd', learningRate: 5e-3, epochs: 5, proximalMu }
      return kernels.squaredDistance(model.train(start, data, run).parameters, start)
    })
    expect(distances[1]).toBeLessThan(distances[0] ?? 0)
    expect(distances[2]).toBeLessThan((distances[1] ?? 0) / 10)
  })

  it('tells of each epoch, and takes no memory with it', () => {
    const model = createModel(spec, kernels)
    const inUse = kernels.arena.bytesInUse
    const losses: number[] = []
    model.train(model.initialise('a'), data, { ...options, epochs: 4 }, (_, loss) => losses.push(loss))
    expect(losses).toHaveLength(4)
    expect(losses.at(-1)).toBeLessThan(losses[0] ?? 0)
    expect(kernels.arena.bytesInUse).toBe(inUse)
  })

  it('that diverges is an error with a code, not a model', () => {
    const model = createModel(spec, kernels)
    const wild: TrainOptions = { ...options, optimiser: 'sgd', learningRate: 1e30, epochs: 3 }
    const inUse = kernels.arena.bytesInUse
    expect(() => model.train(model.initialise('a'), data, wild)).toThrow(
      expect.objectContaining({ code: 'not-finite' }),
    )
    expect(kernels.arena.bytesInUse).toBe(inUse)
  })

  it('refuses rows, shapes and options that it cannot use', () => {
    const model = createModel(spec, kernels)
    const start = model.initialise('a')
    const none = { rows: 0, width: 5, features: new Float32Array(0), labels: new Uint8Array(0) }
    expect(() => model.train(start, none, options)).toThrow(expect.objectContaining({ code: 'no-data' }))
    expect(() => model.train(start.subarray(1), data, options)).toThrow(
      expect.objectContaining({ code: 'wrong-shape' }),
    )
    expect(() => model.train(start, exclusiveOr(10, 4, 'x'), options)).toThrow(
      expect.objectContaining({ code: 'wrong-shape' }),
    )
    for (const bad of [{ epochs: 0 }, { batchSize: 1.5 }, { learningRate: 0 }, { proximalMu: Number.NaN }])
      expect(() => model.train(start, data, { ...options, ...bad })).toThrow(
        expect.objectContaining({ code: 'invalid-request' }),
      )
  })
})

describe('scoring', () => {
  it('does not depend on how many rows are asked at once', () => {
    const model = createModel(spec, kernels)
    const parameters = model.initialise('score')
    const { features } = exclusiveOr(2500, 5, 'score')
    const together = model.score(parameters, features, 2500)
    for (const row of [0, 1, 1023, 1024, 2049, 2499])
      expect(model.score(parameters, features.subarray(row * 5, row * 5 + 5), 1)[0]).toBe(together[row])
    expect(model.score(parameters, features, 0)).toHaveLength(0)
    expect(() => model.score(parameters, features, 2501)).toThrow(expect.objectContaining({ code: 'wrong-shape' }))
  })
})

describe('specifications', () => {
  it('give a layout in name order whose sizes are the parameters', () => {
    const model = createModel({ kind: 'mlp', inputs: 3, hidden: Array.from({ length: 12 }, () => 2) }, kernels)
    const names = model.layout.map(({ name }) => name)
    expect(names).toEqual(names.toSorted())
    const sizes = model.layout.map(({ shape }) => shape.reduce((product, size) => product * size, 1))
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(model.parameterCount)
  })

  it('that this version cannot build are refused', () => {
    for (const bad of [
      null,
      {},
      { kind: 'tgnn', features: 3, hidden: [] },
      { kind: 'mlp', inputs: 0, hidden: [] },
      { kind: 'mlp', inputs: 3, hidden: [1.5] },
      { kind: 'mlp', inputs: 3, hidden: 'x' },
      { kind: 'mlp', inputs: 3, hidden: new Array(33).fill(1) },
      { kind: 'mlp', inputs: 1e9, hidden: [] },
    ])
      expect(() => parseModelSpec(bad)).toThrow(expect.objectContaining({ code: 'model-invalid' }))
  })
})

it('the default weight of positives balances the classes within its bounds', () => {
  expect(defaultPositiveWeight(Uint8Array.of(0, 0, 0, 1))).toBe(3)
  expect(defaultPositiveWeight(Uint8Array.of(1, 1, 0))).toBe(1)
  expect(defaultPositiveWeight(Uint8Array.of(0, 0))).toBe(1)
  expect(defaultPositiveWeight(Uint8Array.from({ length: 1000 }, (_, i) => (i === 0 ? 1 : 0)))).toBe(
    POSITIVE_WEIGHT_MAX,
  )
})
