import { describe, expect, it } from 'vitest'
import { prng } from '../../base/prng.ts'
import { DEFAULT_POLICY, honestSurvivors, honestSurvivorsFrom, logCut, logLossOfRound, planFor } from './plan.ts'
import { logChoose, logTail } from './tails.ts'

describe('the tail of the hypergeometric distribution', () => {
  it('is that of counting', () => {
    const choose = (n: number, k: number): number => (k < 0 || k > n ? 0 : Math.round(Math.exp(logChoose(n, k))))
    for (const [population, marked, drawn] of [
      [10, 4, 5],
      [20, 3, 8],
      [12, 12, 4],
      [15, 0, 5],
    ] as const)
      for (let atLeast = 0; atLeast <= drawn + 1; atLeast++) {
        let count = 0
        for (let x = atLeast; x <= drawn; x++) count += choose(marked, x) * choose(population - marked, drawn - x)
        expect(Math.exp(logTail(population, marked, drawn, atLeast))).toBeCloseTo(count / choose(population, drawn), 10)
      }
  })
})

describe('the plan of a round', () => {
  it.each([3, 4, 5, 7, 10, 50, 100])('for %i is the complete graph with thresholds above two thirds', (n) => {
    const plan = planFor(n, n, DEFAULT_POLICY)
    expect(plan.neighbours).toBe(n - 1)
    expect(3 * plan.threshold).toBeGreaterThan(2 * n)
    expect(3 * plan.quorum).toBeGreaterThan(2 * n)
    expect(2 * plan.quorum).toBeGreaterThan(n + plan.corruptMax)
    expect(plan.threshold).toBeGreaterThan(plan.corruptMax)
  })

  it.each([
    [200, 0.2, 0.1],
    [1000, 0.2, 0.1],
    [1000, 0.05, 0.05],
    [10_000, 0.1, 0.1],
  ])('for %i computes the fewest neighbours that fail with less than 2^-40', (n, corruptShare, dropoutShare) => {
    const policy = { ...DEFAULT_POLICY, corruptShare, dropoutShare }
    const plan = planFor(n, n, policy)
    const limit = -40 * Math.LN2
    const lost = Math.ceil(dropoutShare * n)
    expect(plan.neighbours).toBeLessThan(n / 2)
    expect(3 * plan.threshold).toBeGreaterThan(2 * (plan.neighbours + 1))
    expect(logCut(n, plan.corruptMax, plan)).toBeLessThanOrEqual(limit)
    expect(logLossOfRound(n, lost, plan)).toBeLessThanOrEqual(limit)
    const fewer = { neighbours: plan.neighbours - 1, threshold: Math.floor((2 * plan.neighbours) / 3) + 1 }
    const weaker = logCut(n, plan.corruptMax, fewer) > limit || logLossOfRound(n, lost, fewer) > limit
    expect(weaker).toBe(true)
  })

  it('needs more neighbours for more corruption, more dropouts and less failure', () => {
    const k = (change: object): number => planFor(600, 600, { ...DEFAULT_POLICY, ...change }).neighbours
    expect(k({ dropoutShare: 0.15 })).toBeGreaterThan(k({}))
    expect(k({ dropoutShare: 0.01, corruptShare: 0.3 })).toBeGreaterThan(k({ dropoutShare: 0.01, corruptShare: 0.1 }))
    expect(k({ failureBits: 80 })).toBeGreaterThan(k({}))
  })

  it('refuses too few, and policies that nothing could meet', () => {
    for (const [invited, present] of [
      [1, 1],
      [2, 2],
      [10, 6],
      [100, 66],
    ] as const)
      expect(() => planFor(invited, present, DEFAULT_POLICY)).toThrow('too few')
    for (const change of [
      { corruptShare: 0.34 },
      { dropoutShare: 0.5 },
      { failureBits: 1 },
      { corruptShare: Number.NaN },
    ])
      expect(() => planFor(10, 10, { ...DEFAULT_POLICY, ...change })).toThrow()
  })

  it.each([
    [3, 2],
    [5, 3],
    [10, 5],
    [100, 47],
    [1000, 467],
  ])('of %i invited leaves at least %i honest in any sum, whoever is away', (invited, honest) => {
    expect(honestSurvivors(invited, DEFAULT_POLICY)).toBe(honest)
    for (let present = invited; present > 0.9 * invited; present--)
      if (present * 3 > invited * 2 && invited < 200) {
        const { quorum, corruptMax } = planFor(invited, Math.max(present, 3), DEFAULT_POLICY)
        expect(quorum - corruptMax).toBe(honest)
      }
  })

  it('of so many invited or more leaves no fewer honest than is said of them together', () => {
    for (const corruptShare of [0.2, 0.25, 0.33]) {
      const policy = { ...DEFAULT_POLICY, corruptShare }
      for (let from = 3; from <= 300; from++) {
        const least = Math.min(...Array.from({ length: 400 }, (_, i) => honestSurvivors(from + i, policy)))
        expect(honestSurvivorsFrom(from, policy)).toBe(least)
      }
    }
    expect(honestSurvivorsFrom(15, DEFAULT_POLICY)).toBeLessThan(honestSurvivors(15, DEFAULT_POLICY))
  })

  it('bounds the chance that drawn neighbours leave a participant with too many corrupt ones (simulated)', () => {
    const [n, corrupt, neighbours, threshold] = [40, 8, 10, 7]
    const random = prng('plan')
    let opened = 0
    const trials = 200_000
    for (let trial = 0; trial < trials; trial++) {
      let bad = 0
      let left = n - 1
      let leftCorrupt = corrupt
      for (let i = 0; i < neighbours; i++) {
        if (random.below(left) < leftCorrupt) {
          bad++
          leftCorrupt--
        }
        left--
      }
      if (bad >= threshold - 1) opened++
    }
    const expected = Math.exp(logTail(n - 1, corrupt, neighbours, threshold - 1))
    expect(Math.abs(opened / trials - expected)).toBeLessThan(5 * Math.sqrt(expected / trials))
    expect(logCut(n, corrupt, { neighbours, threshold })).toBeGreaterThanOrEqual(Math.log(expected))
  })
})
