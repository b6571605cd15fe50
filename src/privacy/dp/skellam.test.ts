import { describe, expect, it } from 'vitest'
import { concentrationOf, deltaForNoise, drawMax, planLocalNoise } from './local.ts'
import { composeCurves, concentratedCurve, epsilonOfCurve, RDP_ORDERS } from './rdp.ts'
import { planSkellamNoise, skellamCurve, skellamNoiseOf } from './skellam.ts'
import { chiSquare, kolmogorovSmirnov, seeded, skellamProbabilities } from './statistics.suite.ts'
import { createNoiseTable } from './table.ts'

const skellam = (deviation: number) =>
  createNoiseTable({ numerator: BigInt(deviation) ** 2n, denominator: 1n }, 'skellam')

/** Renyi divergence of whole or fractional order between the noise and the noise moved by `shift`, by summation. */
function divergence(variance: number, shift: number, order: number): number {
  const reach = Math.ceil(10 * Math.sqrt(variance)) + 4 * shift + 20
  const at = skellamProbabilities(variance, reach)
  let sum = 0
  for (let k = shift; k < at.length; k++) {
    const [p, q] = [at[k] ?? 0, at[k - shift] ?? 0]
    // Smaller ones are rounding of the integral.
    if (p > 1e-13 && q > 1e-13) sum += p ** order * q ** (1 - order)
  }
  return Math.log(sum) / (order - 1)
}

describe('the table of the Skellam distribution', () => {
  for (const deviation of [1, 3, 37, 200])
    it(`has the distribution it claims at a deviation of ${deviation} (chi-square, Kolmogorov-Smirnov)`, () => {
      const [draws, table] = [new Int32Array(1_000_000), skellam(deviation)]
      table.draw(draws, seeded(`skellam ${deviation}`))
      const probabilities = skellamProbabilities(deviation ** 2, table.magnitudeMax)
      expect(chiSquare(draws, probabilities, table.magnitudeMax)).toBeGreaterThan(1e-3)
      expect(kolmogorovSmirnov(draws, probabilities, table.magnitudeMax)).toBeGreaterThan(1e-3)
    })

  it('is not that of the discrete Gaussian of the same variance, and the test tells', () => {
    const draws = new Int32Array(1_000_000)
    createNoiseTable({ numerator: 9n, denominator: 1n }).draw(draws, seeded('another law'))
    expect(chiSquare(draws, skellamProbabilities(9, 60), 60)).toBeLessThan(1e-6)
  })

  it('adds up: a sum of five shares is distributed as one draw of five times the variance', () => {
    const [sum, share] = [new Int32Array(400_000), new Int32Array(400_000)]
    for (let k = 0; k < 5; k++) {
      skellam(4).draw(share, seeded(`share ${k}`))
      for (const [i, steps] of share.entries()) sum[i] = (sum[i] ?? 0) + steps
    }
    const reach = 5 * skellam(4).magnitudeMax
    expect(chiSquare(sum, skellamProbabilities(80, reach), reach)).toBeGreaterThan(1e-3)
    expect(chiSquare(sum, skellamProbabilities(82, reach), reach)).toBeLessThan(1e-6)
  })

  it('is no further than 2^-109 from the exact distribution, and leaves room on the grid', () => {
    for (const deviation of [1, 64, 512, 1024]) {
      const { distance, magnitudeMax } = skellam(deviation)
      expect(distance).toBeGreaterThan(0)
      expect(distance).toBeLessThan(2 ** -109)
      if (deviation >= 512) expect(magnitudeMax).toBeLessThanOrEqual(drawMax(deviation))
    }
  })
})

describe('the cost of Skellam noise', () => {
  for (const [variance, shift] of [
    [16, 2],
    [25, 3],
    [400, 10],
  ] as const)
    it(`bounds the divergence of noise of variance ${variance} from itself moved by ${shift}, at whole and fractional orders`, () => {
      const orders = [1.1, 1.5, 2, 2.7, 3, 5, 8]
      const curve = skellamCurve({ rho: shift ** 2 / (2 * variance), variance }, orders)
      for (const [i, order] of orders.entries()) {
        const exact = divergence(variance, shift, order)
        expect(exact).toBeLessThanOrEqual(curve[i] ?? 0)
        // Between whole orders the chord gives some away.
        expect(exact).toBeGreaterThan((Number.isInteger(order) ? 0.6 : 0.3) * (curve[i] ?? 0))
      }
    })

  it('is more than that of a Gaussian, and hardly more once the noise has many steps', () => {
    const gaussian = concentratedCurve(0.3)
    for (const [i, value] of skellamCurve({ rho: 0.3, variance: 100 }).entries())
      expect(value).toBeGreaterThan(gaussian[i] ?? 0)
    const whole = RDP_ORDERS.map((order, i) => (Number.isInteger(order) ? i : -1)).filter((i) => i >= 0)
    const fine = skellamCurve({ rho: 0.3, variance: 512 ** 2 })
    for (const i of whole) expect((fine[i] ?? 0) / (gaussian[i] ?? 1)).toBeLessThan(1 + 2e-5)
  })

  it('of a planned share meets the target with the honest survivors that it is planned for, and not with one fewer', () => {
    const goal = { epsilon: 4, delta: 1e-5, clip: 0.7, rounds: 3 }
    const plan = planSkellamNoise(goal, 5)
    expect(plan.deviation).toBeGreaterThanOrEqual(512)
    const epsilonWith = (survivorsMin: number): number => {
      const round = skellamCurve(skellamNoiseOf({ ...plan, survivorsMin }))
      return epsilonOfCurve(composeCurves(Array.from({ length: goal.rounds }, () => round)), deltaForNoise(goal.delta))
    }
    expect(epsilonWith(5)).toBeLessThanOrEqual(goal.epsilon)
    expect(epsilonWith(5)).toBeGreaterThan(0.99 * goal.epsilon)
    expect(epsilonWith(4)).toBeGreaterThan(goal.epsilon)
  })

  it('of one survivor takes next to no more noise than a discrete Gaussian', () => {
    const goal = { epsilon: 2, delta: 1e-5, clip: 1, rounds: 8 }
    const [alone, gaussian] = [planSkellamNoise(goal, 1), planLocalNoise(goal)]
    const rho = skellamNoiseOf(alone).rho / concentrationOf(gaussian)
    expect(rho).toBeGreaterThan(0.99)
    expect(rho).toBeLessThanOrEqual(1.005)
  })
})
