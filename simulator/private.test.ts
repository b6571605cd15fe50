import { beforeAll, describe, expect, it } from 'vitest'
import { loadKernels } from '../src/node/kernels.ts'
import { epsilonOfReleases, releasesOf } from './checkers/budget.ts'
import { forgetPurposes, forgetSpending } from './planted.ts'
import { OTHER_PURPOSE, type PrivatePlan } from './private-plan.ts'
import { createPrivateSimulator, type Simulate } from './simulate.ts'

const SEEDS = 40

let simulate: Simulate
beforeAll(() => {
  simulate = createPrivateSimulator(loadKernels())
})

describe('trainings that draw on one privacy budget while nodes crash and clocks jump', () => {
  const totals = {
    releases: 0,
    masked: 0,
    refused: 0,
    crashes: 0,
    jumps: 0,
    nearLimit: 0,
    nearPurpose: 0,
    units: new Set<unknown>(),
  }

  it(`never take more than was allowed, and spend before anything leaves (P4): seeds 1 to ${SEEDS}`, {
    timeout: 240_000,
  }, async () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const { run, plan, violations } = await simulate(String(seed))
      expect({ seed, violations }).toEqual({ seed, violations: [] })
      const asked: Partial<PrivatePlan> = plan.private ?? {}
      const { limit = { epsilon: 0, delta: 0 }, privacy, clockJumpMs } = asked
      totals.units.add(privacy?.['unit'])
      if (Math.abs(clockJumpMs ?? 0) > 30_000) totals.jumps++
      for (const node of run.organisations) {
        const releases = releasesOf(run, node.name)
        totals.releases += releases.length
        if (plan.scenario.protection === 'secagg') totals.masked += releases.length
        totals.crashes += node.crashes
        if (epsilonOfReleases(releases, limit.delta) > 0.7 * limit.epsilon) totals.nearLimit++
        const part = limit.purposes?.[OTHER_PURPOSE]
        const ofPart = releases.filter(({ purpose }) => purpose === OTHER_PURPOSE)
        if (part !== undefined && epsilonOfReleases(ofPart, part.delta) > 0.7 * part.epsilon) totals.nearPurpose++
        for (const [stream, { events }] of node.tables.streams)
          if (stream.startsWith('participant/') && JSON.stringify(events).includes('budget-exceeded')) totals.refused++
      }
    }
  })

  it('were really short of budget, and really troubled', () => {
    expect(totals.units).toEqual(new Set(['example', 'organisation']))
    expect(totals.releases).toBeGreaterThan(4 * SEEDS)
    expect(totals.masked).toBeGreaterThan(SEEDS)
    expect(totals.refused).toBeGreaterThan(SEEDS)
    expect(totals.nearLimit).toBeGreaterThan(SEEDS)
    expect(totals.nearPurpose).toBeGreaterThan(SEEDS / 2)
    expect(totals.crashes).toBeGreaterThan(SEEDS)
    expect(totals.jumps).toBeGreaterThan(SEEDS / 2)
  })

  it.each([
    ['forgets at its start what it has spent', forgetSpending, ''],
    ['does not look at the limit of a purpose', forgetPurposes, `for "${OTHER_PURPOSE}"`],
  ])('are caught by P4 when a node %s', { timeout: 120_000 }, async (_, tampering, said) => {
    const caught: number[] = []
    for (let seed = 1; seed <= 10; seed++) {
      const { violations } = await simulate(String(seed), { tampering })
      if (violations.some(({ checker, message }) => checker === 'P4' && message.includes(said))) caught.push(seed)
    }
    expect(caught.length).toBeGreaterThan(0)
  })
})
