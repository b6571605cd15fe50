import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { prng } from '../../base/prng.ts'
import { initialiseDense, planDense } from '../dense.ts'
import { rocAuc } from '../metrics.ts'
import { clippedGradients } from './clipped-gradient.ts'
import { type PrivateTraining, trainPrivately } from './train-privately.ts'

const { layers, end } = planDense('', [3, 5, 4, 1], 0)

function parametersOf(label: string): Float32Array {
  const parameters = new Float32Array(end)
  initialiseDense(layers, parameters, prng(label))
  return parameters.map((value, i) => value + 0.01 * (i % 7))
}

/** Loss by the definition, in float64. */
function lossOf(parameters: ArrayLike<number>, features: ArrayLike<number>, label: number): number {
  let values = Array.from(features)
  layers.forEach(({ inputs, outputs, weights, bias }, i) => {
    const next = Array.from({ length: outputs }, (_, k) => {
      let total = parameters[bias + k] ?? 0
      for (let j = 0; j < inputs; j++) total += (values[j] ?? 0) * (parameters[weights + j * outputs + k] ?? 0)
      return i + 1 < layers.length ? Math.max(0, total) : total
    })
    values = next
  })
  const logit = values[0] ?? 0
  return Math.log1p(Math.exp(-Math.abs(logit))) + Math.max(0, logit) - label * logit
}

function numericalGradient(parameters: Float32Array, features: readonly number[], label: number): Float64Array {
  const exact = Float64Array.from(parameters)
  return Float64Array.from(exact, (_, i) => {
    const [up, down] = [Float64Array.from(exact), Float64Array.from(exact)]
    up[i] = (up[i] ?? 0) + 1e-6
    down[i] = (down[i] ?? 0) - 1e-6
    return (lossOf(up, features, label) - lossOf(down, features, label)) / 2e-6
  })
}

const norm = (values: ArrayLike<number>): number =>
  Math.sqrt(Array.from(values).reduce((sum, value) => sum + value ** 2, 0))
const STEP = 2 ** -20

describe('the clipped gradient of one example', () => {
  it('is the gradient, where it is below the clip, and its norm is known without it', () => {
    const parameters = parametersOf('gradient')
    for (const label of [0, 1]) {
      const features = [0.3, -1.2, 0.8]
      const sum = new Float64Array(end)
      const found = clippedGradients(layers, 1e6, STEP).add(sum, parameters, {
        features: Float32Array.from(features),
        from: 0,
        label,
      })
      const wanted = numericalGradient(parameters, Array.from(Float32Array.from(features)), label)
      for (const [i, value] of sum.entries()) expect(value * STEP).toBeCloseTo(wanted[i] ?? 0, 4)
      expect(found).toBeCloseTo(norm(wanted), 5)
    }
  })

  it('never moves the sum by more than the clip, whatever the example (sensitivity)', () => {
    const parameters = parametersOf('sensitivity')
    const numbers = fc.array(fc.float({ noDefaultInfinity: true, min: -1e6, max: 1e6 }), { minLength: 3, maxLength: 3 })
    fc.assert(
      fc.property(
        numbers,
        fc.constantFrom(0, 1),
        fc.double({ min: 1e-3, max: 10, noNaN: true }),
        (list, label, clip) => {
          const sum = new Float64Array(end)
          clippedGradients(layers, clip, STEP).add(sum, parameters, {
            features: Float32Array.from(list),
            from: 0,
            label,
          })
          expect(sum.every(Number.isInteger)).toBe(true)
          expect(norm(sum) * STEP).toBeLessThanOrEqual(clip)
        },
      ),
    )
  })

  it('that is not finite adds nothing', () => {
    const sum = new Float64Array(end)
    const features = Float32Array.of(Number.NaN, 1, Number.POSITIVE_INFINITY)
    clippedGradients(layers, 1, STEP).add(sum, parametersOf('nan'), { features, from: 0, label: 1 })
    expect(norm(sum)).toBe(0)
  })
})

/** Rows of two classes on both sides of a plane. */
function twoClasses(rows: number) {
  const random = prng('two classes')
  const features = new Float32Array(rows * 3)
  const labels = new Uint8Array(rows)
  for (let row = 0; row < rows; row++) {
    labels[row] = random.below(2)
    for (let j = 0; j < 3; j++) features[row * 3 + j] = random.normal() + (labels[row] === 1 ? 1 : -1)
  }
  return { rows, width: 3, features, labels }
}

const TRAINING: PrivateTraining = {
  batchSize: 200,
  steps: 60,
  learningRate: 0.3,
  momentum: 0.8,
  clip: 1,
  step: 2 ** -9,
  deviation: 512,
}
const normalNoise = (label: string) => {
  const random = prng(label)
  return {
    u32: () => random.u32(),
    drawNoise: (deviation: number, out: Int32Array) => {
      for (let i = 0; i < out.length; i++) out[i] = Math.round(deviation * random.normal())
    },
  }
}

describe('private training', () => {
  it('learns in spite of clipping and noise, and says what mechanism it was', () => {
    const data = twoClasses(4000)
    const { parameters, mechanism } = trainPrivately(
      layers,
      parametersOf('start'),
      data,
      TRAINING,
      normalNoise('learn'),
    )
    const scores = Float32Array.from({ length: data.rows }, (_, row) => {
      const features = data.features.subarray(3 * row, 3 * row + 3)
      return lossOf(parameters, features, 0) - lossOf(parameters, features, 1)
    })
    expect(rocAuc(scores, data.labels)).toBeGreaterThan(0.97)
    expect(mechanism).toEqual({ samplingRate: expect.closeTo(0.05, 8) as number, noiseMultiplier: 1, steps: 60 })
    expect(mechanism.samplingRate).toBeGreaterThanOrEqual(0.05)
  })

  it('samples each row on its own: batches differ in size as they should', () => {
    const sizes: number[] = []
    const data = twoClasses(1000)
    let drawn = 0
    const random = prng('sizes')
    const u32 = (): number => {
      const value = random.u32()
      if (value < Math.ceil(0.2 * 2 ** 32)) drawn++
      return value
    }
    const drawNoise = (_: number, out: Int32Array): void => {
      sizes.push(drawn)
      drawn = 0
      out.fill(0)
    }
    trainPrivately(layers, parametersOf('start'), data, { ...TRAINING, steps: 200 }, { u32, drawNoise })
    const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length
    const variance = sizes.reduce((sum, size) => sum + (size - mean) ** 2, 0) / sizes.length
    expect(Math.abs(mean - 200)).toBeLessThan(4 * Math.sqrt(160 / 200))
    expect(variance).toBeGreaterThan(110)
    expect(variance).toBeLessThan(220)
  })

  it('refuses what is not private training', () => {
    const data = twoClasses(100)
    for (const changes of [{ deviation: 0 }, { deviation: 1.5 }, { clip: 0 }, { batchSize: 101 }, { momentum: 1 }])
      expect(() =>
        trainPrivately(layers, parametersOf('x'), data, { ...TRAINING, batchSize: 10, ...changes }, normalNoise('x')),
      ).toThrow(expect.objectContaining({ code: 'invalid-request' }))
  })
})
