import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { plainArithmetic } from './arithmetic.ts'
import { keystream } from './keystream.ts'
import { addVectors } from './mask.ts'
import { dequantiseMean, quantise, scaleFor, signedIntegers } from './quantise.ts'

const stream = (fill = 1) => keystream(new Uint8Array(16).fill(fill))
const numbers = fc.float({ min: -4, max: 4, noNaN: true })

describe('quantisation', () => {
  it('cannot wrap: all participants at the bound, with the largest weight, give the largest sum and not its negative', () => {
    for (const participants of [1, 2, 3, 100, 1000, 32_767, 32_768, 65_537, 1_000_000]) {
      const scale = scaleFor(participants, 0.5, 100)
      const modulus = 2n ** BigInt(scale.width)
      expect(2n * BigInt(participants) * BigInt(scale.levels)).toBeLessThan(modulus)
      expect(participants * scale.levels).toBeLessThanOrEqual(Number.MAX_SAFE_INTEGER)
      const { words } = quantise(Float32Array.of(1e30, -1e30), 100, scale, stream())
      expect([...signedIntegers(words, scale.width)]).toEqual([scale.levels, -scale.levels])
    }
    expect(scaleFor(1000, 1, 1).width).toBe(32)
    expect(scaleFor(100_000, 1, 1).width).toBe(64)
  })

  it('leaves updates alone that are on a grid already, and refuses a grid whose sums could wrap', () => {
    const scale = scaleFor(150, 3 * 2 ** -9, 1, 3)
    const { words, clipped } = quantise(
      Float32Array.of(-3, 2, 0, 1).map((steps) => steps * 2 ** -9),
      1,
      scale,
      stream(),
    )
    expect([[...signedIntegers(words, 32)], clipped]).toEqual([[-3, 2, 0, 1], 0])
    expect(dequantiseMean(words, 1, scale)).toEqual(Float32Array.of(-3, 2, 0, 1).map((steps) => steps * 2 ** -9))
    expect(scaleFor(2, 1, 1, 2 ** 30).width).toBe(64)
    expect(() => scaleFor(2, 1, 1, 2 ** 53)).toThrow('wrap')
  })

  it('sums exactly, and the mean is within one level of each of the plain weighted mean', () => {
    const updates = fc.array(
      fc.record({
        values: fc.array(numbers, { minLength: 5, maxLength: 5 }),
        weight: fc.integer({ min: 1, max: 1000 }),
      }),
      { minLength: 1, maxLength: 12 },
    )
    fc.assert(
      fc.property(updates, fc.constantFrom(10, 100_000), (all, participants) => {
        const weightMax = Math.max(...all.map(({ weight }) => weight))
        const scale = scaleFor(participants, 2, weightMax)
        const quantised = all.map(
          ({ values, weight }, i) => quantise(Float32Array.from(values), weight, scale, stream(i)).words,
        )
        const sum = new Uint8Array((5 * scale.width) / 8)
        addVectors(sum, quantised, plainArithmetic(scale.width))
        const plain = quantised
          .map((words) => signedIntegers(words, scale.width))
          .reduce((a, b) => a.map((x, i) => x + (b[i] ?? 0)))
        expect([...signedIntegers(sum, scale.width)]).toEqual([...plain])
        const total = all.reduce((sum, { weight }) => sum + weight, 0)
        const mean = dequantiseMean(sum, total, scale)
        const level = (scale.clip / scale.levels) * (weightMax / total) * all.length
        mean.forEach((value, i) => {
          const clipped = all.map(({ values, weight }) => weight * Math.max(-2, Math.min(2, values[i] ?? 0)))
          expect(Math.abs(value - clipped.reduce((a, b) => a + b, 0) / total)).toBeLessThan(level + 4e-7)
        })
      }),
    )
  })

  it('rounds without bias', () => {
    const scale = { width: 32, levels: 4, clip: 4, weightMax: 1 } as const
    const { words } = quantise(new Float32Array(200_000).fill(-1.3), 1, scale, stream(5))
    const integers = signedIntegers(words, 32)
    expect(new Set(integers)).toEqual(new Set([-1, -2]))
    // Standard error of the mean: sqrt(0.21 / 200000) = 0.001.
    expect(Math.abs(integers.reduce((a, b) => a + b, 0) / integers.length + 1.3)).toBeLessThan(0.005)
  })

  it('keeps what is a whole level as it is, and counts what it clips', () => {
    const scale = { width: 32, levels: 8, clip: 1, weightMax: 1 } as const
    const { words, clipped } = quantise(Float32Array.of(0, 0.25, -1, 1, 1.5, -9), 1, scale, stream())
    expect([...signedIntegers(words, 32)]).toEqual([0, 2, -8, 8, 8, -8])
    expect(clipped).toBe(2)
  })

  it('refuses NaN, infinities, a bound that is none and weights that are none (defects: NaN, negative weights, a count of 1e12)', () => {
    const scale = scaleFor(3, 1, 1000)
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
      expect(() => quantise(Float32Array.of(0, bad), 1, scale, stream())).toThrow('NaN or infinite')
    for (const weight of [0, -5, 1.5, 1001, 1e12, Number.NaN])
      expect(() => quantise(new Float32Array(2), weight, scale, stream())).toThrow('from 1 to 1000')
    for (const clip of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) expect(() => scaleFor(3, clip, 1)).toThrow()
  })

  it('has no mean of nobody (defect: a zero total that divides by zero)', () => {
    expect(() => dequantiseMean(new Uint8Array(8), 0, scaleFor(3, 1, 1))).toThrow('zero')
  })
})
