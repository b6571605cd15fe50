import { describe, expect, it } from 'vitest'
import { frequenciesNeeded, lowSpectrum, repeatedIn, sumsAbove } from './few-frequencies.ts'
import { epsilonOfFewFrequencies, epsilonOfTransform } from './pld.ts'
import type { SampledGaussian } from './rdp.ts'

const long: SampledGaussian = { samplingRate: 0.01, noiseMultiplier: 1, steps: 10_000 }

describe('loss distributions by their lowest frequencies', () => {
  it.each([
    ['a long training', [long], 1e-5],
    ['large batches', [{ samplingRate: 0.256, noiseMultiplier: 2.62, steps: 640 }], 1e-5],
    ['every row in every step', [{ samplingRate: 1, noiseMultiplier: 30, steps: 5000 }], 1e-5],
    ['much noise', [{ samplingRate: 0.01, noiseMultiplier: 4, steps: 60_000 }], 1e-6],
    ['two trainings', [long, { samplingRate: 0.02, noiseMultiplier: 2, steps: 4000 }], 1e-6],
  ] as const)('give the epsilon of the whole transform: %s', (_, mechanisms, delta) => {
    const few = epsilonOfFewFrequencies(mechanisms, delta) ?? Number.NaN
    const whole = epsilonOfTransform(mechanisms, delta)
    expect(few / whole).toBeLessThan(1 + 1e-4)
    // Fewer places dominate more; what is lower is rounding.
    expect(few / whole).toBeGreaterThan(1 - 1e-7)
  })

  it('are left to the transform where the steps are few', () => {
    expect(epsilonOfFewFrequencies([{ ...long, steps: 3 }], 1e-5)).toBeUndefined()
    expect(epsilonOfFewFrequencies([{ ...long, steps: 0 }], 1e-5)).toBe(0)
  })

  it('are all that are not nought: each one beyond them is below what is counted as rounding', () => {
    const parts = repeatedIn('remove', [long], 0.001)
    const length = 40_000
    const needed = frequenciesNeeded(parts, length) ?? Number.NaN
    expect(needed).toBeLessThan(1000)
    const { real, imaginary } = lowSpectrum(parts, { low: -10_000, length }, length / 2)
    const sizes = real.map((value, j) => Math.hypot(value, imaginary[j] as number))
    // An exact zero has no logarithm, and its power is none either.
    expect(Math.max(...sizes.subarray(needed).map((size) => (Number.isNaN(size) ? 0 : size)))).toBeLessThan(1e-26)
    expect(sizes[0]).toBeCloseTo(1, 9)
  })

  it('sum up to all of the mass, and to none above the window', () => {
    const parts = repeatedIn('add', [long], 0.001)
    const window = { low: -10_000, length: 40_000 }
    const spectrum = lowSpectrum(parts, window, frequenciesNeeded(parts, window.length) ?? 0)
    expect(sumsAbove(spectrum, window.low).above).toBeCloseTo(1, 9)
    expect(sumsAbove(spectrum, window.low + window.length).above).toBeCloseTo(0, 12)
  })
})
