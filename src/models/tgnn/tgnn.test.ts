import { describe, expect, it } from 'vitest'
import { loadKernels } from '../../../test/kernels.ts'
import { sha256Hex } from '../../base/hash.ts'
import { prng } from '../../base/prng.ts'
import { createModel, type LabelledBatchSource, type Objective, type TgnnSpec, type TrainOptions } from '../model.ts'
import { planTgnn } from './plan.ts'
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
