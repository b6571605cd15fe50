import fc from 'fast-check'
import { expect, it } from 'vitest'
import { sanitiseGradient } from './gradient.ts'

const FLOAT32_MAX = 3.4e38
const values = fc.array(fc.double({ min: -FLOAT32_MAX, max: FLOAT32_MAX, noNaN: true }), {
  minLength: 1,
  maxLength: 50,
})

it('a gradient that is short enough stays as it is', () => {
  expect(sanitiseGradient([3, -4], 5)).toEqual({ gradient: [3, -4], norm: 5, clipped: false })
})

it('a longer one keeps its direction and gets the length of the sensitivity, whatever its size', () => {
  expect(sanitiseGradient([3, -4], 1)).toEqual({ gradient: [0.6, -0.8], norm: 5, clipped: true })
  fc.assert(
    fc.property(values, fc.double({ min: 1e-6, max: 1e6, noNaN: true }), (raw, sensitivity) => {
      const { gradient, clipped } = sanitiseGradient(raw, sensitivity)
      const { norm } = sanitiseGradient(gradient, sensitivity)
      expect(norm).toBeLessThanOrEqual(sensitivity * (1 + 1e-12))
      if (clipped) expect(norm).toBeGreaterThan(sensitivity * (1 - 1e-12))
      gradient.forEach((value, i) => expect(Math.sign(value) * Math.sign(raw[i] ?? 0)).toBeGreaterThanOrEqual(0))
    }),
  )
})

it('what is no number is refused, and not passed on', () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => sanitiseGradient([1, value], 1)).toThrow('not a finite number')
})
