import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sharedPath } from '../../../test/shared.ts'
import { epsilonOf } from './accountant.ts'
import { epsilonOfLosses } from './pld.ts'
import {
  composeCurves,
  deltaOfCurve,
  documentFormula,
  epsilonOfCurve,
  type SampledGaussian,
  sampledDiscreteGaussianCurve,
  sampledGaussianCurve,
} from './rdp.ts'
import { erfc, logErfc, normalCdf } from './special.ts'

const vectors = sharedPath('vectors/dp-accounting/epsilon.json')

interface Row {
  readonly q: number
  readonly sigma: number
  readonly steps: number
  readonly delta: number
  readonly epsilon: number
  readonly accountant: 'rdp' | 'pld' | 'prv'
  readonly tolerance?: number
}

const rows: readonly Row[] =
  vectors === undefined ? [] : (JSON.parse(readFileSync(vectors, 'utf8')) as { rows: Row[] }).rows
/** Of the test suites of TensorFlow Privacy (compute_dp_sgd_privacy_test.py), Opacus (accountants_test.py, prv_accountant.py). */
const PUBLISHED: readonly Row[] = [
  { q: 0.0025, sigma: 1.3, steps: 6000, delta: 1e-5, epsilon: 0.7242234026, accountant: 'rdp' },
  { q: 0.04, sigma: 1.5, steps: 2250, delta: 1e-5, epsilon: 7.32911117143, accountant: 'rdp' },
  { q: 0.01, sigma: 0.7, steps: 120, delta: 1e-5, epsilon: 2.4612381, accountant: 'pld' },
  { q: 0.05, sigma: 1.5, steps: 100, delta: 1e-6, epsilon: 1.9538531, accountant: 'prv' },
]
const mechanismOf = ({ q, sigma, steps }: Row): SampledGaussian => ({ samplingRate: q, noiseMultiplier: sigma, steps })
const relative = (a: number, b: number): number => Math.abs(a / b - 1)

/**
 * What the PRV accountant of Opacus returns is the upper end of its interval: epsilon at delta - delta / 1000, and 0.01
 * added for its own error. The figures published for it contain both.
 */
const opacusUpperEnd = (mechanism: SampledGaussian, delta: number): number =>
  epsilonOfLosses([mechanism], delta - delta / 1000) + 0.01

function expectPublished(row: Row): void {
  const mechanism = mechanismOf(row)
  const own =
    row.accountant === 'prv' ? opacusUpperEnd(mechanism, row.delta) : epsilonOf([mechanism], row.delta, row.accountant)
  const tolerance = row.tolerance ?? (row.accountant === 'rdp' ? 1e-6 : 1e-3)
  expect(relative(own, row.epsilon), JSON.stringify({ ...row, own })).toBeLessThan(tolerance)
}

/** Balle and Wang 2018, Theorem 8: exact delta of a Gaussian of sensitivity 1. */
const gaussianDelta = (sigma: number, epsilon: number): number =>
  normalCdf(0.5 / sigma - epsilon * sigma) -
  Math.exp(epsilon + logErfc((0.5 / sigma + epsilon * sigma) / Math.SQRT2) - Math.LN2)

describe('the accountant', () => {
  it('meets published figures of other accountants', () => {
    for (const row of PUBLISHED) expectPublished(row)
  })

  it.skipIf(vectors === undefined)('meets every published figure (reads shared vectors)', () => {
    expect(rows.length).toBeGreaterThanOrEqual(11)
    for (const row of rows) expectPublished(row)
  })

  it.skipIf(vectors === undefined)('proves less loss than the published upper ends (reads shared vectors)', () => {
    for (const row of rows.filter(({ accountant }) => accountant === 'prv'))
      expect(epsilonOf([mechanismOf(row)], row.delta, 'pld')).toBeLessThan(row.epsilon)
  })

  it('by loss distribution is the exact Gaussian, never below it, and RDP is above both', () => {
    const settings = fc.record({
      sigma: fc.double({ min: 0.4, max: 20, noNaN: true }),
      steps: fc.integer({ min: 1, max: 400 }),
    })
    fc.assert(
      fc.property(settings, fc.double({ min: -7, max: -1, noNaN: true }), ({ sigma, steps }, log10) => {
        const delta = 10 ** log10
        const mechanism = { samplingRate: 1, noiseMultiplier: sigma, steps }
        const epsilon = epsilonOf([mechanism], delta, 'pld')
        const exact = gaussianDelta(sigma / Math.sqrt(steps), epsilon)
        if (epsilon > 0) {
          expect(exact).toBeLessThanOrEqual(delta)
          expect(exact).toBeGreaterThan(delta * 0.95 - 1e-10)
        }
        expect(epsilonOf([mechanism], delta, 'rdp')).toBeGreaterThanOrEqual(epsilon - 1e-9)
      }),
      { numRuns: 40 },
    )
  })

  it('composes different mechanisms: two Gaussians are one of the joint precision', () => {
    const parts = [
      { samplingRate: 1, noiseMultiplier: 3, steps: 4 },
      { samplingRate: 1, noiseMultiplier: 5, steps: 10 },
    ]
    const joint = { samplingRate: 1, noiseMultiplier: 1 / Math.sqrt(4 / 9 + 10 / 25), steps: 1 }
    for (const accountant of ['rdp', 'pld'] as const)
      expect(relative(epsilonOf(parts, 1e-5, accountant), epsilonOf([joint], 1e-5, accountant))).toBeLessThan(1e-3)
  })

  it('composes sampled mechanisms by loss distribution within what RDP allows, and above each alone', () => {
    const parts = [
      { samplingRate: 0.01, noiseMultiplier: 0.9, steps: 300 },
      { samplingRate: 0.05, noiseMultiplier: 2, steps: 200 },
    ]
    const together = epsilonOf(parts, 1e-6, 'pld')
    expect(together).toBeLessThan(epsilonOf(parts, 1e-6, 'rdp'))
    for (const part of parts) expect(together).toBeGreaterThan(epsilonOf([part], 1e-6, 'pld'))
  })

  it('agrees with brute-force integration on one sampled step, in both directions', () => {
    const [q, sigma, epsilon] = [0.3, 0.8, 0.5]
    const bell = (x: number): number => Math.exp((-x * x) / (2 * sigma * sigma)) / (sigma * Math.sqrt(2 * Math.PI))
    let [remove, add] = [0, 0]
    const width = 1e-4
    for (let x = -10; x < 11; x += width) {
      const [without, having] = [bell(x), (1 - q) * bell(x) + q * bell(x - 1)]
      remove += Math.max(0, having - Math.exp(epsilon) * without) * width
      add += Math.max(0, without - Math.exp(epsilon) * having) * width
    }
    const own = epsilonOfLosses([{ samplingRate: q, noiseMultiplier: sigma, steps: 1 }], Math.max(remove, add))
    expect(relative(own, epsilon)).toBeLessThan(1e-3)
    expect(own).toBeGreaterThan(epsilon * (1 - 1e-6))
  })

  it('grows with steps and sampling, and shrinks with noise and delta', () => {
    const base = { samplingRate: 0.02, noiseMultiplier: 1.2, steps: 500 }
    for (const accountant of ['rdp', 'pld'] as const) {
      const at = (changes: Partial<SampledGaussian>, delta = 1e-5) =>
        epsilonOf([{ ...base, ...changes }], delta, accountant)
      expect(at({ steps: 501 })).toBeGreaterThan(at({}))
      expect(at({ samplingRate: 0.021 })).toBeGreaterThan(at({}))
      expect(at({ noiseMultiplier: 1.3 })).toBeLessThan(at({}))
      expect(at({}, 1e-4)).toBeLessThan(at({}))
      expect(at({ steps: 0 })).toBe(0)
    }
  })

  it('never accounts a loss that rounding hides as nothing', () => {
    const curve = sampledGaussianCurve({ samplingRate: 1e-9, noiseMultiplier: 1, steps: 1 })
    expect(Math.min(...curve)).toBeGreaterThan(0)
  })

  it('of sampled discrete noise is above an exact sum over the integers, at whole and broken orders', () => {
    const [q, deviation, shift] = [0.1, 6, 5]
    const bell = (x: number): number => Math.exp((-x * x) / (2 * deviation ** 2))
    let total = 0
    for (let x = -200; x <= 200; x++) total += bell(x)
    const orders = [1.3, 2, 2.5, 4, 7.9, 16]
    const curve = sampledDiscreteGaussianCurve(
      { samplingRate: q, noiseMultiplier: deviation / shift, steps: 1 },
      orders,
    )
    for (const [i, order] of orders.entries()) {
      let [remove, add] = [0, 0]
      for (let x = -200; x <= 200; x++) {
        const [without, having] = [bell(x) / total, ((1 - q) * bell(x) + q * bell(x - shift)) / total]
        if (without === 0 || having === 0) continue
        remove += without * (having / without) ** order
        add += having * (without / having) ** order
      }
      const exact = Math.log(Math.max(remove, add)) / (order - 1)
      expect(curve[i]).toBeGreaterThanOrEqual(exact)
      if (Number.isInteger(order)) expect(relative(curve[i] ?? 0, exact)).toBeLessThan(1e-9)
    }
  })

  it('converts both ways: delta at the epsilon of a delta is that delta', () => {
    const curve = composeCurves([sampledGaussianCurve({ samplingRate: 0.01, noiseMultiplier: 1, steps: 1000 })])
    for (const delta of [1e-3, 1e-5, 1e-9, 1e-20])
      expect(relative(deltaOfCurve(curve, epsilonOfCurve(curve, delta)), delta)).toBeLessThan(1e-6)
  })

  it('refuses what is no mechanism', () => {
    const fine = { samplingRate: 0.1, noiseMultiplier: 1, steps: 10 }
    for (const changes of [
      { samplingRate: 0 },
      { samplingRate: 1.1 },
      { noiseMultiplier: 0 },
      { noiseMultiplier: Number.NaN },
      { steps: -1 },
      { steps: 1.5 },
    ])
      for (const accountant of ['rdp', 'pld'] as const)
        expect(() => epsilonOf([{ ...fine, ...changes }], 1e-5, accountant)).toThrow(
          expect.objectContaining({ code: 'invalid-request' }),
        )
    expect(() => epsilonOf([fine], 1e-12, 'pld')).toThrow(expect.objectContaining({ code: 'invalid-request' }))
    expect(epsilonOf([fine], 0, 'rdp')).toBe(Number.POSITIVE_INFINITY)
  })

  it('shows the formula of the ledger document as what it is', () => {
    expect(documentFormula([{ samplingRate: 1, noiseMultiplier: 2, steps: 8 }])).toBe(2)
  })
})

describe('the complementary error function', () => {
  it('has the values of Abramowitz and Stegun, tables 7.1 and 7.3', () => {
    expect(relative(1 - erfc(0.5), 0.5204998778130465)).toBeLessThan(1e-14)
    expect(relative(erfc(2), 0.004677734981047266)).toBeLessThan(1e-13)
    expect(relative(erfc(4), 1.541725790028002e-8)).toBeLessThan(1e-13)
    expect(relative(erfc(10), 2.088487583762545e-45)).toBeLessThan(1e-12)
    expect(erfc(-1) + erfc(1)).toBe(2)
    expect(logErfc(100)).toBeCloseTo(-10_000 - Math.log(100 * Math.sqrt(Math.PI)) - 0.00005, 6)
  })
})
