import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { concentratedCurve, epsilonOfCurve } from '../privacy/dp/rdp.ts'
import { CONCENTRATION, gainOf, ROWS_MIN, SENSITIVITY, UNIT, verdictOf } from './verdict.ts'

const logit = fc.double({ min: -1e4, max: 1e4, noNaN: true })
/** As verdictOf takes the mean. */
const meanOf = (gains: readonly number[]): number =>
  Math.round(gains.reduce((sum, gain) => sum + gain, 0) / gains.length)

describe('the verdict on a model', () => {
  it('is how many nats the loss of a row fell by', () => {
    const before = Math.log1p(Math.exp(-0.3))
    const after = Math.log1p(Math.exp(-2))
    expect(gainOf(0.3, 2, true)).toBe(Math.round(UNIT * (before - after)))
    expect(gainOf(2, 0.3, true)).toBe(-gainOf(0.3, 2, true))
    expect(gainOf(-0.3, -2, false)).toBe(gainOf(0.3, 2, true))
  })

  it('lets no row say more than a nat, however sure two models are', () => {
    const within = (before: number, after: number, attack: boolean): boolean =>
      Number.isInteger(gainOf(before, after, attack)) && Math.abs(gainOf(before, after, attack)) <= UNIT
    fc.assert(fc.property(logit, logit, fc.boolean(), within))
    expect(gainOf(0, Number.NaN, true)).toBe(-UNIT)
    expect(gainOf(0, Number.POSITIVE_INFINITY, true)).toBe(-UNIT)
  })

  it('is moved by one row by no more than the noise is accounted for', () => {
    const gains = fc.array(fc.integer({ min: -UNIT, max: UNIT }), { minLength: ROWS_MIN, maxLength: ROWS_MIN + 40 })
    fc.assert(
      fc.property(gains, fc.integer({ min: -UNIT, max: UNIT }), fc.nat(ROWS_MIN - 1), (rows, other, at) => {
        const replaced = rows.with(at, other)
        expect(Math.abs(meanOf(rows) - meanOf(replaced))).toBeLessThanOrEqual(SENSITIVITY)
        expect(Math.abs(meanOf(rows) - meanOf([...rows, other]))).toBeLessThanOrEqual(SENSITIVITY)
      }),
      { numRuns: 50 },
    )
    const [best, worst] = [Array<number>(ROWS_MIN).fill(UNIT), Array<number>(ROWS_MIN).fill(UNIT).with(0, -UNIT)]
    expect(meanOf(best) - meanOf(worst)).toBe(SENSITIVITY)
  })

  it('costs a row little: sixteen rounds are below epsilon 1 at delta 1e-5', () => {
    expect(epsilonOfCurve(concentratedCurve(16 * CONCENTRATION), 1e-5)).toBeLessThan(1)
  })

  it('is said in tenths of a nat from -1 to 1, after the noise', () => {
    const rows = 1000
    expect(verdictOf({ rows, gain: 340 * rows }, 0)).toBe(30)
    expect(verdictOf({ rows, gain: 340 * rows }, 20)).toBe(40)
    expect(verdictOf({ rows, gain: -1000 * rows }, -400)).toBe(-100)
    expect(Object.is(verdictOf({ rows, gain: -20 * rows }, 0), 0)).toBe(true)
  })

  it('is not given over fewer rows than hide each other', () => {
    expect(() => verdictOf({ rows: ROWS_MIN - 1, gain: 0 }, 0)).toThrow(expect.objectContaining({ code: 'internal' }))
  })
})
