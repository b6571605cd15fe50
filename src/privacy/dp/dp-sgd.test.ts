import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EntenteError } from '../../base/errors.ts'
import { epsilonOfGroup, epsilonOfSteps, planStepNoise, TABLE_DISTANCE_MAX } from './dp-sgd.ts'
import { createNoiseTable, TABLE_DEVIATION_MAX } from './table.ts'

const TARGET = { epsilon: 4, delta: 1e-5, samplingRate: 0.1, steps: 64 }
const multiplier = (target: typeof TARGET): number => {
  const { deviation, clipSteps } = planStepNoise(target)
  return deviation / clipSteps
}

/** Undefined where it would leave nothing of a gradient, which is refused. */
function planned(target: typeof TARGET): number | undefined {
  try {
    return multiplier(target)
  } catch (error) {
    if (error instanceof EntenteError && error.code === 'not-available') return undefined
    throw error
  }
}

describe('the noise of DP-SGD', () => {
  it('keeps all steps of a training within epsilon, and hardly more than it must', () => {
    const targets = fc.record({
      epsilon: fc.double({ min: 0.5, max: 10, noNaN: true }),
      delta: fc.constantFrom(1e-7, 1e-5),
      samplingRate: fc.double({ min: 0.01, max: 1, noNaN: true }),
      steps: fc.integer({ min: 1, max: 400 }),
    })
    fc.assert(
      fc.property(targets, (target) => {
        const noiseMultiplier = planned(target)
        fc.pre(noiseMultiplier !== undefined)
        const spent = epsilonOfSteps({ ...target, noiseMultiplier }, target.delta)
        expect(spent).toBeLessThanOrEqual(target.epsilon)
        expect(spent).toBeGreaterThan(0.98 * target.epsilon)
      }),
      { numRuns: 6 },
    )
  })

  it('is drawn from a table that is as exact as accounted for, and lies on a fine grid', () => {
    const { deviation, clipSteps } = planStepNoise(TARGET)
    expect(deviation).toBeGreaterThanOrEqual(4096)
    expect(Number.isInteger(Math.log2(clipSteps))).toBe(true)
    for (const width of [deviation, TABLE_DEVIATION_MAX])
      expect(createNoiseTable({ numerator: BigInt(width) ** 2n, denominator: 1n }).distance).toBeLessThan(
        TABLE_DISTANCE_MAX,
      )
  })

  it('grows with the rounds that are still to come, and with the share of rows in a step', () => {
    expect(multiplier({ ...TARGET, steps: 640 })).toBeGreaterThan(multiplier(TARGET))
    expect(multiplier({ ...TARGET, samplingRate: 0.2 })).toBeGreaterThan(multiplier(TARGET))
  })

  it('is refused where it would leave nothing of a gradient', () => {
    const hopeless = { ...TARGET, epsilon: 0.01, steps: 10_000, samplingRate: 1 }
    expect(() => planStepNoise(hopeless)).toThrow(expect.objectContaining({ code: 'not-available' }))
    expect(() => planStepNoise({ ...TARGET, epsilon: 0 })).toThrow(expect.objectContaining({ code: 'invalid-request' }))
  })

  it('protects a host with several rows less than a row, as the bound for groups says', () => {
    const mechanism = { samplingRate: 0.1, steps: 64, noiseMultiplier: multiplier(TARGET) }
    const [one, two, eight] = [1, 2, 8].map((rows) => epsilonOfGroup(mechanism, rows, TARGET.delta)) as [
      number,
      number,
      number,
    ]
    expect(one).toBeCloseTo(epsilonOfSteps(mechanism, TARGET.delta), 6)
    expect(two).toBeGreaterThan(2 * one)
    expect(two).toBeLessThan(3 * one)
    expect(eight).toBeGreaterThan(4 * two)
  })
})
