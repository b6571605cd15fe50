import { describe, expect, it } from 'vitest'
import { loadKernels } from '../../../test/kernels.ts'
import { sha256Hex } from '../../base/hash.ts'
import { prng } from '../../base/prng.ts'
import { createModel, type LabelledBatchSource, type Objective, type TgnnSpec, type TrainOptions } from '../model.ts'
import { frequencies, planTgnn } from './plan.ts'
import { referenceLoss } from './reference.ts'

const kernels = loadKernels()
const spec: TgnnSpec = {
  kind: 'tgnn',
  features: 5,
  pairFeatures: 2,
  links: 5,
  linkFeatures: 4,
  timeDimensions: 6,
  width: 8,
  hidden: [7],
}
const WIDTH = 5 + 2 + 2 * 5 * 4
const options: TrainOptions = {
  epochs: 1,
  batchSize: 128,
  learningRate: 3e-3,
  optimiser: 'adam',
  proximalMu: 0,
  seed: 'test',
}

/** Rows of which no feature alone tells the label: it is 1 where the latest links of both ends are of the same age. */
function rowsOf(rows: number, seed: string): LabelledBatchSource {
  const random = prng(seed)
  const features = Float32Array.from({ length: rows * WIDTH }, () => random.uniform() * 2 - 1)
  const labels = new Uint8Array(rows)
  for (let row = 0; row < rows; row++) {
    labels[row] = random.uniform() < 0.5 ? 1 : 0
    const ages = [random.uniform() * 100, random.uniform() * 100]
    for (let end = 0; end < 2; end++) {
      const held = 1 + Math.floor(random.uniform() * 5)
      for (let k = 0; k < 5; k++) {
        const at = row * WIDTH + 7 + (end * 5 + k) * 4
        features[at] = k >= held ? -1 : (ages[labels[row] === 1 ? 0 : end] as number) * (k + 1)
      }
    }
  }
  return { rows, width: WIDTH, features, labels }
}

const relativeError = (exact: Float64Array, other: ArrayLike<number>): number => {
  const size = exact.reduce((sum, value) => sum + value * value, 0)
  return Math.sqrt(exact.reduce((sum, value, i) => sum + (value - (other[i] ?? 0)) ** 2, 0) / size)
}

describe('gradients', () => {
  const data = { ...rowsOf(9, 'gradient'), weights: Float32Array.from({ length: 9 }, (_, i) => 0.5 + (i % 3)) }
  const model = createModel(spec, kernels)
  // Away from zero biases and from gains of one, so that every term of the gradient counts.
  const random = prng('start')
  const start = model.initialise('gradient').map((value) => value + (random.uniform() - 0.5) / 5)

  for (const objective of ['supervised', 'link'] satisfies Objective[]) {
    const at = Float64Array.from(start)
    const of = { objective, positiveWeight: 3 }
    const { loss, gradient } = referenceLoss(spec, at, data, { ...of, gradient: true })

    it(`of the float64 reference (${objective}) equal its central differences within 1e-6`, () => {
      const differences = at.map((value, i) => {
        const [above, below] = [1e-6, -1e-6].map((step) => {
          at[i] = value + step
          return referenceLoss(spec, at, data, { ...of, gradient: false }).loss
        })
        at[i] = value
        return ((above ?? 0) - (below ?? 0)) / 2e-6
      })
      expect(Math.max(...gradient.map(Math.abs))).toBeGreaterThan(0.01)
      expect(relativeError(differences, gradient)).toBeLessThan(1e-6)
    })

    it(`of the kernels (${objective}) equal those of the reference within 1e-3`, () => {
      // One SGD step of rate 1 over the whole batch moves the parameters by the gradient.
      const step: TrainOptions = { ...options, optimiser: 'sgd', learningRate: 1, positiveWeight: 3, objective }
      const trained = model.train(start, data, step)
      expect(trained.loss).toBeCloseTo(loss, 5)
      const moved = trained.parameters.map((value, i) => (start[i] ?? 0) - value)
      expect(relativeError(gradient, moved)).toBeLessThan(1e-3)
    })
  }
})

/** Elements of a tensor's name prefix, in the flat parameters. */
function partOf(parameters: Float32Array, prefix: string): Float32Array {
  let at = 0
  const found: number[] = []
  for (const { name, shape } of planTgnn(spec).layout) {
    const size = shape.reduce((product, length) => product * length, 1)
    if (name.startsWith(prefix)) found.push(...parameters.subarray(at, at + size))
    at += size
  }
  return Float32Array.from(found)
}

describe('training', () => {
  const data = rowsOf(3000, 'training')
  const model = createModel(spec, kernels)

  it('learns what only the links of both ends together tell', () => {
    const { parameters } = model.train(model.initialise('a'), data, { ...options, epochs: 30, learningRate: 1e-2 })
    const test = rowsOf(1000, 'test')
    const logits = model.score(parameters, test.features, test.rows)
    const right = test.labels.reduce((sum, label, i) => sum + ((logits[i] ?? 0) > 0 === (label === 1) ? 1 : 0), 0)
    expect(right / test.rows).toBeGreaterThan(0.75)
  })

  it('gives the very bits that every other machine gives (P7)', () => {
    const { parameters } = model.train(model.initialise('a'), data, { ...options, epochs: 2, proximalMu: 0.01 })
    expect(sha256Hex(new Uint8Array(parameters.buffer))).toMatchInlineSnapshot(
      `"0e03fa786223aa5b3a20d34d7969cb5de1013b4f0ab8c8a7f5731ab3f3f1bb56"`,
    )
  })

  it('is the same for the same request, leaves its arguments alone, and takes no memory with it', () => {
    const inUse = kernels.arena.bytesInUse
    const start = model.initialise('a')
    const before = start.slice()
    const first = model.train(start, data, { ...options, rowsPerEpoch: 500 })
    expect(start).toEqual(before)
    expect(first.steps).toBe(4)
    const again = createModel(spec, loadKernels()).train(start, data, { ...options, rowsPerEpoch: 500 })
    expect(again.parameters).toEqual(first.parameters)
    expect(kernels.arena.bytesInUse).toBe(inUse)
  })

  it('of a head alone keeps every bit of the shared body, and of the other head', () => {
    const start = model.initialise('a')
    for (const [objective, own, other] of [
      ['supervised', 'head.', 'link.'],
      ['link', 'link.', 'head.'],
    ] as const) {
      const { parameters } = model.train(start, data, { ...options, trainable: 'head', objective })
      for (const frozen of ['encoder.', other]) expect(partOf(parameters, frozen)).toEqual(partOf(start, frozen))
      expect(partOf(parameters, own)).not.toEqual(partOf(start, own))
    }
  })

  it('on links leaves the edge head alone, and on labels the link head', () => {
    const start = model.initialise('a')
    for (const [objective, untouched] of [
      ['supervised', 'link.'],
      ['link', 'head.'],
    ] as const) {
      const { parameters } = model.train(start, data, { ...options, objective })
      expect(partOf(parameters, untouched)).toEqual(partOf(start, untouched))
      expect(partOf(parameters, 'encoder.')).not.toEqual(partOf(start, 'encoder.'))
    }
  })

  it('refuses rows and parameters of other shapes', () => {
    const start = model.initialise('a')
    const wide = { ...data, width: WIDTH + 1 }
    expect(() => model.train(start, wide, options)).toThrow(expect.objectContaining({ code: 'wrong-shape' }))
    expect(() => model.train(start.subarray(1), data, options)).toThrow(
      expect.objectContaining({ code: 'wrong-shape' }),
    )
    expect(() => model.train(start, data, { ...options, rowsPerEpoch: 0 })).toThrow(
      expect.objectContaining({ code: 'invalid-request' }),
    )
  })
})

describe('scoring', () => {
  const data = rowsOf(200, 'score')
  const model = createModel(spec, kernels)
  const parameters = model.initialise('score')

  it('gives the loss of the float64 reference, whichever links of an end are there, and with none', () => {
    const random = prng('parameters')
    const away = parameters.map((value) => value + (random.uniform() - 0.5) / 5)
    const features = data.features.slice()
    for (let row = 0; row < data.rows; row += 2) features[row * WIDTH + 7] = -1
    for (let row = 0; row < data.rows; row += 3) for (let k = 0; k < 5; k++) features[row * WIDTH + 7 + 4 * k] = -1
    const logits = model.score(away, features, data.rows)
    const losses = [...logits].map((logit, row) => Math.log1p(Math.exp(data.labels[row] === 1 ? -logit : logit)))
    const { loss } = referenceLoss(
      spec,
      Float64Array.from(away),
      { ...data, features },
      { objective: 'supervised', positiveWeight: 1, gradient: false },
    )
    expect(losses.reduce((sum, one) => sum + one, 0) / data.rows).toBeCloseTo(loss, 5)
  })

  it('does not depend on how many rows are asked at once', () => {
    const together = model.score(parameters, data.features, data.rows)
    for (const row of [0, 1, 63, 64, 127, 199]) {
      const alone = model.score(parameters, data.features.subarray(row * WIDTH, (row + 1) * WIDTH), 1)
      expect(alone[0]).toBe(together[row])
    }
    expect(() => model.score(parameters, data.features, 201)).toThrow(expect.objectContaining({ code: 'wrong-shape' }))
  })

  it('reads nothing of a link that is not there, and nothing of the features of the interaction for its surprise', () => {
    const features = data.features.slice()
    const surprise = model.score(parameters, features, data.rows, 'link')
    const logits = model.score(parameters, features, data.rows)
    for (let row = 0; row < data.rows; row++)
      for (let link = 0; link < 10; link++) {
        const at = row * WIDTH + 7 + link * 4
        if ((features[at] ?? 0) < 0) features.fill(9, at + 1, at + 4)
      }
    expect(model.score(parameters, features, data.rows)).toEqual(logits)
    for (let row = 0; row < data.rows; row++) features.fill(0, row * WIDTH, row * WIDTH + spec.features)
    expect(model.score(parameters, features, data.rows, 'link')).toEqual(surprise)
    expect(model.score(parameters, features, data.rows)).not.toEqual(logits)
  })
})

it('the layout is in name order and covers the parameters', () => {
  const { layout, parameterCount } = createModel({ ...spec, hidden: [9, 8, 7] }, kernels)
  const names = layout.map(({ name }) => name)
  expect(names).toEqual(names.toSorted())
  const sizes = layout.map(({ shape }) => shape.reduce((product, size) => product * size, 1))
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(parameterCount)
})

it('the frequencies fall from the unit by alpha^(1/beta) with alpha = beta = sqrt(d)', () => {
  for (const d of [1, 4, 16, 100]) {
    const expected = Array.from({ length: d }, (_, i) => 0.1 * Math.sqrt(d) ** (-i / Math.sqrt(d)))
    frequencies(d).forEach((omega, i) => expect(omega / (expected[i] as number)).toBeCloseTo(1, 6))
  }
})
