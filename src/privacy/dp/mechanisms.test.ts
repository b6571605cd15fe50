import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { distributedConcentration, planSharedNoise, sharedConcentration, shareFor, sumDistance } from './distributed.ts'
import { addNoise, fromGrid, GRID_MAX, toGrid } from './grid.ts'
import { concentrationOf, drawMax, planLocalNoise, tableDelta } from './local.ts'
import { concentratedCurve, epsilonOfCurve } from './rdp.ts'
import { createNoiseTable } from './table.ts'

const finite = fc.float({ noNaN: true, noDefaultInfinity: true, min: -1000, max: 1000 })

describe('the integer grid', () => {
  it('brings back what is on it, bit for bit', () => {
    const steps = fc.array(fc.integer({ min: -GRID_MAX, max: GRID_MAX }), { maxLength: 50 })
    fc.assert(
      fc.property(steps, fc.integer({ min: -100, max: 90 }), (list, exponent) => {
        expect([...toGrid(fromGrid(Int32Array.from(list), exponent), exponent)]).toEqual(list)
      }),
    )
  })

  it('never lets a norm grow: coordinates go towards zero by less than a step', () => {
    fc.assert(
      fc.property(fc.array(finite, { minLength: 1, maxLength: 50 }), (list) => {
        const values = Float32Array.from(list)
        const back = fromGrid(toGrid(values, -10), -10)
        for (const [i, value] of values.entries()) {
          expect(Math.abs(back[i] ?? 0)).toBeLessThanOrEqual(Math.abs(value))
          expect(Math.abs((back[i] ?? 0) - value)).toBeLessThan(2 ** -10)
        }
      }),
    )
  })

  it('refuses what is not finite or does not fit, and keeps noise that is too large at its end', () => {
    expect(() => toGrid(Float32Array.of(Number.NaN), 0)).toThrow(expect.objectContaining({ code: 'not-finite' }))
    expect(() => toGrid(Float32Array.of(2 ** 24), 0)).toThrow(expect.objectContaining({ code: 'invalid-request' }))
    expect([...fromGrid(Int32Array.of(2 ** 30, -(2 ** 30)), -3)]).toEqual([GRID_MAX / 8, -GRID_MAX / 8])
    const grid = Int32Array.of(1, -2)
    addNoise(grid, Int32Array.of(10, 20))
    expect([...grid]).toEqual([11, 18])
  })
})

describe('local noise of an organisation', () => {
  const targets = fc.record({
    epsilon: fc.double({ min: 0.05, max: 50, noNaN: true }),
    delta: fc.double({ min: 1e-9, max: 1e-2, noNaN: true }),
    clip: fc.double({ min: 1e-3, max: 1e3, noNaN: true }),
    rounds: fc.integer({ min: 1, max: 10_000 }),
  })

  it('is enough for its target, table and all, and hardly more than enough', () => {
    fc.assert(
      fc.property(targets, (target) => {
        const plan = planLocalNoise(target)
        expect(plan.sensitivity * 2 ** plan.exponent).toBeGreaterThan(2 * target.clip)
        const rho = concentrationOf(plan) * target.rounds
        const spare = tableDelta(target.epsilon, 2 ** -109, 1e7 * target.rounds)
        if (spare < target.delta * 1e-3)
          expect(epsilonOfCurve(concentratedCurve(rho), target.delta - spare)).toBeLessThanOrEqual(target.epsilon)
        expect(epsilonOfCurve(concentratedCurve(rho * 1.02), target.delta)).toBeGreaterThan(target.epsilon * 0.999)
        expect(plan.deviation).toBeGreaterThanOrEqual(512)
        expect(plan.deviation).toBeLessThanOrEqual(1024)
      }),
    )
  })

  it('hides which of two opposite updates it was: the likelihood ratio keeps to the bound that rho gives', () => {
    const plan = planLocalNoise({ epsilon: 1, delta: 1e-5, clip: 1, rounds: 1 })
    const half = Math.round(plan.sensitivity / 2)
    const { deviation } = plan
    // Exact divergence of two shifted discrete Gaussians is at most rho (Canonne et al. 2020, Theorem 4).
    let [total, divergence] = [0, 0]
    for (let z = -20 * deviation; z <= 20 * deviation; z++) {
      const p = Math.exp(-((z - half) ** 2) / (2 * deviation ** 2))
      total += p
      divergence += (p * ((z + half) ** 2 - (z - half) ** 2)) / (2 * deviation ** 2)
    }
    expect(divergence / total).toBeLessThanOrEqual(concentrationOf(plan) * (1 + 1e-6))
  })

  it('is refused for targets that mean nothing', () => {
    const fine = { epsilon: 1, delta: 1e-5, clip: 1, rounds: 1 }
    for (const changes of [
      { epsilon: 0 },
      { delta: 0 },
      { delta: 1 },
      { clip: 0 },
      { rounds: 0 },
      { epsilon: Number.NaN },
    ])
      expect(() => planLocalNoise({ ...fine, ...changes })).toThrow(
        expect.objectContaining({ code: 'invalid-request' }),
      )
  })
})

describe('noise in shares', () => {
  const sum = { survivorsMin: 7, sensitivity: 1000, dimension: 100_000 }
  const target = { epsilon: 2, delta: 1e-5, rounds: 10 }

  it('is sized for the fewest honest survivors: with one fewer the target is missed, with more it is kept', () => {
    const deviation = shareFor(target, sum)
    const epsilonWith = (survivorsMin: number): number => {
      const rho = target.rounds * distributedConcentration({ ...sum, survivorsMin, deviation })
      return epsilonOfCurve(concentratedCurve(rho), target.delta)
    }
    expect(epsilonWith(7)).toBeLessThanOrEqual(target.epsilon)
    expect(epsilonWith(6)).toBeGreaterThan(target.epsilon)
    expect(epsilonWith(100)).toBeLessThan(epsilonWith(7))
  })

  it('of one survivor is the discrete Gaussian itself', () => {
    expect(sumDistance({ survivorsMin: 1, deviation: 1 })).toBe(0)
    const alone = { survivorsMin: 1, deviation: 20, sensitivity: 10, dimension: 5 }
    expect(distributedConcentration(alone)).toBeCloseTo(10 ** 2 / (2 * 20 ** 2), 12)
  })

  it('bounds the divergence of real sums: two shares added up, against the same sum shifted', () => {
    const [deviation, shift] = [0.8, 3]
    const reach = 40
    const share = Array.from({ length: 2 * reach + 1 }, (_, i) => Math.exp(-((i - reach) ** 2) / (2 * deviation ** 2)))
    const mass = share.reduce((total, p) => total + p, 0)
    const added = new Float64Array(4 * reach + 1)
    for (const [i, a] of share.entries())
      for (const [j, b] of share.entries()) added[i + j] = (added[i + j] ?? 0) + (a * b) / mass ** 2
    let divergence = 0
    for (let z = shift; z < added.length; z++) {
      const [p, q] = [added[z] ?? 0, added[z - shift] ?? 0]
      if (p > 1e-300 && q > 1e-300) divergence += p * Math.log(p / q)
    }
    const rho = distributedConcentration({ survivorsMin: 2, deviation, sensitivity: shift, dimension: 1 })
    expect(divergence).toBeLessThanOrEqual(rho)
    expect(divergence).toBeGreaterThan(0.8 * rho)
  })

  it('is planned on a grid whose sums meet the target, and without one more of the honest only', () => {
    const goal = { epsilon: 4, delta: 1e-5, clip: 0.7, rounds: 3 }
    const plan = planSharedNoise(goal, 5)
    expect(plan.deviation).toBeGreaterThanOrEqual(512)
    expect(plan.deviation).toBeLessThanOrEqual(1024)
    const epsilonWith = (survivorsMin: number): number =>
      epsilonOfCurve(concentratedCurve(goal.rounds * sharedConcentration({ ...plan, survivorsMin })), goal.delta)
    expect(epsilonWith(5)).toBeLessThanOrEqual(goal.epsilon)
    expect(epsilonWith(5)).toBeGreaterThan(0.99 * goal.epsilon)
    expect(epsilonWith(4)).toBeGreaterThan(goal.epsilon)
    const whole = planLocalNoise(goal)
    const inUnits = ({ deviation, exponent }: { deviation: number; exponent: number }) => deviation * 2 ** exponent
    expect(inUnits(plan) / inUnits(whole)).toBeCloseTo(1 / Math.sqrt(5), 2)
  })

  it('is never beyond the bound that the grid is made for, however it falls', () => {
    for (const deviation of [1, 2, 3, 100, 513, 1024])
      expect(
        createNoiseTable({ numerator: BigInt(deviation) ** 2n, denominator: 1n }).magnitudeMax,
      ).toBeLessThanOrEqual(drawMax(deviation))
  })
})
