import { expect, it } from 'vitest'
import { prng } from '../../../src/base/prng.ts'
import { loadKernels } from '../../../src/node/kernels.ts'
import { evaluateSoftmax, PARAMETERS, trainSoftmax } from './softmax-regression.ts'
import { CLASSES, DEVICES, FEATURES, syntheticDevices } from './synthetic.ts'

const [device] = syntheticDevices({ alpha: 1, beta: 1, iid: false, seed: 'test' })
const data = device?.training ?? { rows: 0, features: new Float32Array(), labels: new Uint8Array() }
const kernels = loadKernels()

it('one step of the whole batch is against the gradient of the mean loss', () => {
  const random = prng('softmax')
  const start = Float32Array.from({ length: PARAMETERS }, () => 0.1 * random.normal())
  const work = { epochs: 1, batchSize: data.rows, learningRate: 1, proximalMu: 0 }
  const stepped = trainSoftmax(kernels, start, data, work, random)
  const lossAt = (i: number, by: number): number => {
    const moved = start.slice()
    moved[i] = (moved[i] ?? 0) + by
    return evaluateSoftmax(moved, data).loss / data.rows
  }
  for (const i of [0, CLASSES - 1, CLASSES, CLASSES + 37, PARAMETERS - 1]) {
    const gradient = (start[i] ?? 0) - (stepped[i] ?? 0)
    expect(gradient).toBeCloseTo((lossAt(i, 1e-2) - lossAt(i, -1e-2)) / 2e-2, 3)
  }
})

it('the proximal term keeps the model near where it started', () => {
  const moved = (proximalMu: number): number => {
    const work = { epochs: 20, batchSize: 10, learningRate: 0.01, proximalMu }
    const trained = trainSoftmax(kernels, new Float32Array(PARAMETERS), data, work, prng('proximal'))
    return Math.hypot(...trained)
  }
  expect(moved(1)).toBeLessThan(0.8 * moved(0))
})

it('synthetic sets are those of the paper in shape: 30 devices of different sizes, one model for all only if IID', () => {
  const devices = syntheticDevices({ alpha: 0, beta: 0, iid: true, seed: 'test' })
  expect(devices.length).toBe(DEVICES)
  expect(new Set(devices.map(({ training }) => training.rows)).size).toBeGreaterThan(10)
  for (const { training, test } of devices) {
    expect(training.features.length).toBe(training.rows * FEATURES)
    expect(training.rows + test.rows).toBeGreaterThanOrEqual(50)
  }
})
