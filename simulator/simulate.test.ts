import { beforeAll, describe, expect, it } from 'vitest'
import { loadKernels } from '../src/node/kernels.ts'
import type { Tampering } from './cluster.ts'
import { countTwice, forgetOnCrash, keepBlobs, rememberMasks, skipSignatureCheck } from './planted.ts'
import { createSimulator, type Simulate } from './simulate.ts'
import { tally } from './tally.ts'

const SEEDS = 200
const BATCHES = 8
/** Of the first seeds, one whose training is in the clear, and one with secure aggregation. */
const PLAIN_SEED = '1'
const HIDDEN_SEED = '2'

let simulate: Simulate
beforeAll(() => {
  simulate = createSimulator(loadKernels())
})

describe('a federation whose nodes crash and whose messages get lost', () => {
  const totals = tally()
  for (let batch = 0; batch < BATCHES; batch++) {
    const first = 1 + (batch * SEEDS) / BATCHES
    const last = ((batch + 1) * SEEDS) / BATCHES
    it(`keeps P1, P2, P3, P6 and P7, and finishes: seeds ${first} to ${last}`, { timeout: 240_000 }, async () => {
      for (let seed = first; seed <= last; seed++) {
        const report = await simulate(String(seed))
        totals.add(report)
        expect({ seed, violations: report.violations }).toEqual({ seed, violations: [] })
      }
    })
  }

  it('was really troubled: all kinds of fault happened, often', () => {
    const figures = totals.figures()
    expect(figures.seeds).toBe(SEEDS)
    expect(figures.blocks).toBeGreaterThan(2 * SEEDS)
    expect(figures.crashes).toBeGreaterThan(2 * SEEDS)
    expect(figures.tornWrites).toBeGreaterThan(20)
    expect(figures.messagesLost).toBeGreaterThan(10 * SEEDS)
    expect(figures.forgeriesRefused).toBeGreaterThan(SEEDS / 2)
    expect(figures.departures).toBeGreaterThan(10)
    expect(figures.incompleteRounds).toBeGreaterThan(10)
    expect(figures.hiddenBlocks).toBeGreaterThan(SEEDS / 2)
    expect(figures.dropouts).toBeGreaterThan(0)
  })
})

describe('a planted bug is caught', () => {
  async function seedsUntilCaught(tampering: Tampering, checker: string, seedsMax: number): Promise<number> {
    for (let seed = 1; seed <= seedsMax; seed++) {
      const { violations } = await simulate(String(seed), { tampering })
      if (violations.some((violation) => violation.checker === checker)) return seed
    }
    return Number.POSITIVE_INFINITY
  }

  it('by P2, when a contribution is counted twice', { timeout: 120_000 }, async () => {
    expect(await seedsUntilCaught(countTwice, 'P2', 3)).toBeLessThanOrEqual(3)
    expect((await simulate(PLAIN_SEED, { tampering: countTwice })).violations).not.toEqual([])
    expect((await simulate(HIDDEN_SEED, { tampering: countTwice })).violations).not.toEqual([])
  })

  it('by P3, when a node remembers its masks after the round', { timeout: 120_000 }, async () => {
    const { violations } = await simulate(HIDDEN_SEED, { tampering: rememberMasks })
    expect(violations.map(({ checker }) => checker)).toContain('P3')
  })

  it('by "forgotten", when updates of rounds that are over stay on a disk', { timeout: 120_000 }, async () => {
    for (const seed of [PLAIN_SEED, HIDDEN_SEED]) {
      const { violations } = await simulate(seed, { tampering: keepBlobs })
      expect(violations.map(({ checker }) => checker)).toContain('forgotten')
    }
  })

  it('by P1, when a disk forgets in a crash what it called durable', { timeout: 120_000 }, async () => {
    expect(await seedsUntilCaught(forgetOnCrash, 'P1', 10)).toBeLessThanOrEqual(10)
  })

  it('by P2, when the hub does not check signatures', { timeout: 120_000 }, async () => {
    expect(await seedsUntilCaught(skipSignatureCheck, 'P2', 10)).toBeLessThanOrEqual(10)
  })
})

describe('a seed', () => {
  it('gives the same history bit for bit, and another one another', { timeout: 120_000 }, async () => {
    const [first, again, other] = [await simulate('7'), await simulate('7'), await simulate('8')]
    expect(again.traceHash).toBe(first.traceHash)
    expect(other.traceHash).not.toBe(first.traceHash)
  })
})
