import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { loadKernels } from '../../../test/kernels.ts'
import { prng } from '../../base/prng.ts'
import type { Kernels } from '../kernels/kernels.ts'
import { rocAuc } from '../metrics.ts'
import { createModel, type LabelledBatchSource, type Model, type TrainOptions } from '../model.ts'
import type { PrivateTraining } from './private-training.ts'

let kernels: Kernels
let models: readonly Model[]
beforeAll(() => {
  kernels = loadKernels()
  const graph = { features: 3, pairFeatures: 2, links: 2, linkFeatures: 3, timeDimensions: 4, width: 4, hidden: [6] }
  models = [
    createModel({ kind: 'mlp', inputs: 5, hidden: [6, 4] }, kernels),
    createModel({ kind: 'tgnn', ...graph }, kernels),
  ]
})

const OPTIONS: TrainOptions = {
  epochs: 1,
  batchSize: 1,
  learningRate: 2 ** 20,
  optimiser: 'sgd',
  proximalMu: 0,
  seed: 'x',
}
const silent = { u32: () => 0, drawNoise: (_: number, out: Int32Array): void => void out.fill(0) }
/** Every row, once, and no noise. */
const BARE: PrivateTraining = {
  steps: 1,
  samplingThreshold: 2 ** 32,
  clip: 1,
  clipSteps: 8192,
  deviation: 1,
  random: silent,
}

function rowsOf(model: Model, rows: number, seed: string, size = 1): LabelledBatchSource {
  const random = prng(`rows/${seed}`)
  const labels = Uint8Array.from({ length: rows }, () => random.below(2))
  const features = Float32Array.from(
    { length: rows * model.inputs },
    (_, i) => size * (random.normal() + (labels[Math.floor(i / model.inputs)] === 1 ? 1 : -1)),
  )
  return { rows, width: model.inputs, features, labels }
}

/** The sum that noise is added to, in steps: the learning rate is so large that nothing else is left in the parameters. */
function sumOf(model: Model, data: LabelledBatchSource, { clip, clipSteps }: PrivateTraining): number[] {
  const start = model.initialise('sum')
  const trained = model.train(start, data, { ...OPTIONS, privately: { ...BARE, clip, clipSteps } })
  const step = (OPTIONS.learningRate * clip) / clipSteps
  return Array.from(start, (value, i) => Math.round((value - (trained.parameters[i] ?? 0)) / step) + 0)
}

const norm = (values: readonly number[]): number => Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0))

describe('sums of clipped gradients', () => {
  it('are of whole steps, cut towards zero, and what is not a number adds nothing', () => {
    const values = Float32Array.of(0.26, -0.26, 1.99, -1.99, 0.1, -0.1, 3, 5, 0.75, -0.75, Number.NaN)
    const [sum, x] = [kernels.arena.allocate(44), kernels.arena.allocate(44)]
    const view = new Int32Array(kernels.arena.bytes(sum, 44).buffer, sum, 11).fill(7)
    kernels.arena.float32(x, 11).set(values)
    kernels.raw.addSteps(sum, x, 11, 4)
    expect([...view]).toEqual([8, 6, 14, 0, 7, 7, 19, 27, 10, 4, 7])
  })

  it('move by no more than the clip if one row is added, whatever the row and whatever the others (sensitivity)', () => {
    const sizes = fc.double({ min: 1e-3, max: 1e5, noNaN: true })
    fc.assert(
      fc.property(sizes, fc.double({ min: 1e-3, max: 10, noNaN: true }), fc.nat(1e6), (size, clip, seed) => {
        for (const model of models) {
          const all = rowsOf(model, 4, String(seed), size)
          const without = { ...all, rows: 3, features: all.features.slice(model.inputs), labels: all.labels.slice(1) }
          const [having, lacking] = [all, without].map((data) => sumOf(model, data, { ...BARE, clip })) as [
            number[],
            number[],
          ]
          const moved = having.map((value, i) => value - (lacking[i] ?? 0))
          expect(norm(moved)).toBeLessThanOrEqual(BARE.clipSteps)
        }
      }),
      { numRuns: 40 },
    )
  })

  it('reach the clip where a gradient is longer, and are the gradient where it is shorter', () => {
    for (const model of models) {
      const data = rowsOf(model, 1, 'one')
      expect(norm(sumOf(model, data, { ...BARE, clip: 1e-3 })) / BARE.clipSteps).toBeGreaterThan(0.99)
      const many = rowsOf(model, 8, 'many')
      const wide = { ...BARE, clip: 64, clipSteps: 2 ** 22 }
      const start = model.initialise('sum')
      const plain = model.train(start, many, { ...OPTIONS, batchSize: 8, positiveWeight: 1 })
      const wanted = Array.from(start, (value, i) => (value - (plain.parameters[i] ?? 0)) / OPTIONS.learningRate)
      sumOf(model, many, wide).forEach((steps, i) =>
        expect((steps * 64) / 2 ** 22 / 8).toBeCloseTo(wanted[i] ?? Number.NaN, 4),
      )
    }
  })

  it('ignore a row whose gradient is not finite', () => {
    for (const model of models) {
      const data = rowsOf(model, 1, 'broken')
      data.features[0] = Number.NaN
      data.features[1] = Number.POSITIVE_INFINITY
      expect(norm(sumOf(model, data, BARE))).toBe(0)
    }
  })
})

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
    for (const model of models) {
      const data = rowsOf(model, 4000, 'classes')
      const training = { ...BARE, steps: 40, samplingThreshold: 2 ** 28, deviation: 8192, random: normalNoise('learn') }
      const options = {
        ...OPTIONS,
        optimiser: 'adam',
        batchSize: 250,
        learningRate: 0.02,
        privately: training,
      } as const
      const { parameters, mechanism } = model.train(model.initialise('a'), data, options)
      expect(rocAuc(model.score(parameters, data.features, data.rows), data.labels)).toBeGreaterThan(0.97)
      expect(mechanism).toEqual({ samplingRate: 1 / 16, noiseMultiplier: 1, clip: 1, steps: 40 })
    }
  })

  it('samples each row on its own: batches differ in size as they should', () => {
    const [model] = models as [Model]
    const sizes: number[] = []
    let drawn = 0
    const random = prng('sizes')
    const threshold = Math.ceil(0.2 * 2 ** 32)
    const counting = {
      u32: () => {
        const value = random.u32()
        if (value < threshold) drawn++
        return value
      },
      drawNoise: (_: number, out: Int32Array) => {
        sizes.push(drawn)
        drawn = 0
        out.fill(0)
      },
    }
    const privately = { ...BARE, steps: 200, samplingThreshold: threshold, random: counting }
    model.train(model.initialise('a'), rowsOf(model, 1000, 'x'), { ...OPTIONS, learningRate: 1e-6, privately })
    const mean = sizes.reduce((sum, size) => sum + size, 0) / sizes.length
    const variance = sizes.reduce((sum, size) => sum + (size - mean) ** 2, 0) / sizes.length
    expect(Math.abs(mean - 200)).toBeLessThan(4 * Math.sqrt(160 / 200))
    expect(variance).toBeGreaterThan(110)
    expect(variance).toBeLessThan(220)
  })

  it('adds no noise to the head that it does not train', () => {
    const model = models[1] as Model
    const start = model.initialise('a')
    const privately = { ...BARE, deviation: 4096, random: normalNoise('head') }
    const options = { ...OPTIONS, learningRate: 0.1, privately }
    const { parameters } = model.train(start, rowsOf(model, 10, 'x'), options)
    const sizes = model.layout.map(({ shape }) => shape.reduce((product, size) => product * size, 1))
    let at = 0
    for (const [i, { name }] of model.layout.entries()) {
      const [before, after] = [start, parameters].map((values) => values.slice(at, at + (sizes[i] ?? 0)))
      if (name.startsWith('link.')) expect(after).toEqual(before)
      else expect(after).not.toEqual(before)
      at += sizes[i] ?? 0
    }
  })

  it('refuses what is not private training', () => {
    const [model] = models as [Model]
    const refused = [{ deviation: 0 }, { deviation: 1.5 }, { clip: 0 }, { samplingThreshold: 0 }, { steps: 0 }]
    for (const changes of refused)
      expect(() =>
        model.train(model.initialise('a'), rowsOf(model, 5, 'x'), { ...OPTIONS, privately: { ...BARE, ...changes } }),
      ).toThrow(expect.objectContaining({ code: 'invalid-request' }))
  })
})
