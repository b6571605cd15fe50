import { describe, expect, it } from 'vitest'
import { prng } from '../../src/base/prng.ts'
import { createModel } from '../../src/models/model.ts'
import { planMlp } from '../../src/models/mlp.ts'
import { loadKernels } from '../kernels.ts'
import { binomialMasses, empiricalEpsilon, guessByScore, probabilityOfGuesses } from './audit.ts'
import { errorOf, invertFirstLayer, labelOf } from './inversion.ts'
import { likelihoodRatio, marginOf, operatingPoint, truePositiveMax } from './membership.ts'

describe('the audit with one run (Steinke, Nasr, Jagielski 2023)', () => {
  it('counts right guesses by the binomial tail, where delta is 0', () => {
    // Randomised response with e^epsilon = 3: three of three right with probability (3/4)^3.
    const guesses = { canaries: 10, made: 3, right: 3 }
    expect(probabilityOfGuesses(guesses, { epsilon: Math.log(3), delta: 0 })).toBeCloseTo(27 / 64, 12)
    expect(probabilityOfGuesses({ ...guesses, right: 2 }, { epsilon: 0, delta: 0 })).toBeCloseTo(0.5, 12)
    expect([...binomialMasses(3, 0.5)]).toEqual(
      [0.125, 0.375, 0.375, 0.125].map((p) => expect.closeTo(p, 12) as number),
    )
  })

  it('adds what delta may have done: alpha m delta, worked out for two guesses', () => {
    // v = r = 2, q = 1/2: alpha = max(2 P[B = 1], (2 / 2) P[B < 2]) = max(1, 3/4) = 1; beta = 1/4.
    const guesses = { canaries: 10, made: 2, right: 2 }
    expect(probabilityOfGuesses(guesses, { epsilon: 0, delta: 0.01 })).toBeCloseTo(0.25 + 10 * 0.01, 12)
  })

  it('gives the epsilon at which so many right guesses are just too unlikely', () => {
    // All of 100: q^100 = 0.05.
    const q = 0.05 ** 0.01
    expect(empiricalEpsilon({ canaries: 100, made: 100, right: 100 }, 0)).toBeCloseTo(Math.log(q / (1 - q)), 4)
    expect(empiricalEpsilon({ canaries: 100, made: 100, right: 50 }, 0)).toBe(0)
    expect(empiricalEpsilon({ canaries: 100, made: 0, right: 0 }, 0)).toBe(0)
  })

  it('is right 95 times of 100 about randomised response, and near it with many canaries', () => {
    const epsilon = 1.5
    const random = prng('randomised response')
    const bounds = Array.from({ length: 200 }, () => {
      const right = Array.from({ length: 1000 }, () => random.uniform() < 1 / (1 + Math.exp(-epsilon))).filter(Boolean)
      return empiricalEpsilon({ canaries: 1000, made: 1000, right: right.length }, 0)
    })
    const tooHigh = bounds.filter((bound) => bound > epsilon).length
    expect(tooHigh).toBeLessThanOrEqual(20)
    expect(bounds.reduce((sum, bound) => sum + bound, 0) / bounds.length).toBeGreaterThan(1.2)
  })

  it('guesses the highest in and the lowest out, and passes the others', () => {
    const isIn = [true, false, true, false, true]
    expect(guessByScore([5, 4, 3, 2, 1], isIn, 1)).toEqual({ canaries: 5, made: 2, right: 1 })
    expect(guessByScore([5, 1, 3, 2, 4], isIn, 2)).toEqual({ canaries: 5, made: 4, right: 4 })
  })
})

describe('analytic inversion', () => {
  const spec = { kind: 'mlp', inputs: 6, hidden: [8] } as const
  const model = createModel(spec, loadKernels())
  const [first, last] = [planMlp(spec).layers[0], planMlp(spec).layers.at(-1)]
  const row = Float32Array.of(0.5, -1, 2, 0, 1.5, -0.25)
  const options = { epochs: 1, batchSize: 1, learningRate: 0.1, optimiser: 'sgd', proximalMu: 0, seed: 'x' } as const

  it('gives back the row and the label of one step on one row', () => {
    for (const label of [0, 1]) {
      const start = model.initialise('inversion')
      const data = { rows: 1, width: 6, features: row, labels: Uint8Array.of(label) }
      const { parameters } = model.train(start, data, { ...options, positiveWeight: 1 })
      const update = parameters.map((value, i) => value - (start[i] ?? 0))
      if (first === undefined || last === undefined) throw new Error('no layers')
      expect(errorOf(invertFirstLayer(update, first), row)).toBeLessThan(1e-3)
      expect(labelOf(update, last)).toBe(label)
    }
  })

  it('gives nothing for an update without that row in it', () => {
    if (first === undefined) throw new Error('no layer')
    const random = prng('noise')
    const noise = Float32Array.from({ length: model.parameterCount }, () => random.normal())
    expect(errorOf(invertFirstLayer(noise, first), row)).toBeGreaterThan(0.5)
    expect(errorOf([], row)).toBe(Number.POSITIVE_INFINITY)
  })
})

describe('membership', () => {
  it('is the ratio of two normals', () => {
    // Both of variance 2, means 3 and 0: (2^2 - 1^2) / (2 * 2).
    expect(likelihoodRatio(2, [2, 4], [-1, 1])).toBeCloseTo(0.75, 12)
    expect(marginOf(2, 1)).toBe(2)
    expect(marginOf(2, 0)).toBe(-2)
  })

  it('is read at a share of false positives, with equal scores on one side', () => {
    const isMember = [true, true, false, true, false, false]
    expect(operatingPoint([6, 5, 4, 3, 2, 1], isMember, 0)).toEqual({ truePositive: 2 / 3, falsePositive: 0 })
    expect(operatingPoint([6, 5, 4, 3, 2, 1], isMember, 0.4)).toEqual({ truePositive: 1, falsePositive: 1 / 3 })
    expect(operatingPoint([6, 4, 4, 3, 2, 1], isMember, 0)).toEqual({ truePositive: 1 / 3, falsePositive: 0 })
  })

  it('is bounded by epsilon and delta from both sides', () => {
    expect(truePositiveMax(0.01, Math.log(2), 0.001)).toBeCloseTo(0.021, 12)
    expect(truePositiveMax(0.9, Math.log(2), 0)).toBeCloseTo(0.95, 12)
    expect(truePositiveMax(0.5, 10, 0)).toBeLessThanOrEqual(1)
  })
})
