import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../../test/databases.ts'
import { EntenteError } from '../../base/errors.ts'
import { concentratedCurve, epsilonOfCurve } from '../../privacy/dp/rdp.ts'
import type { Clock } from '../ports.ts'
import { type Database, openDatabase } from '../storage/database.ts'
import { createJobs } from '../storage/jobs.ts'
import { createPostgresStore } from '../storage/postgres.ts'
import type { Limit } from '../../privacy/dp/budget-state.ts'
import { BUDGET_STREAM, openPrivacyBudget, type PrivacyBudget } from './privacy-budget.ts'

const LIMIT = { epsilon: 2, delta: 1e-5 }
const RHO = 0.004
const claim = { dataset: 'own', purpose: 'training', cost: { kind: 'concentrated', rho: RHO, delta: 0 } } as const

let target: TestDatabase
const open: Database[] = []
beforeAll(async () => {
  target = await testDatabase()
})
afterAll(async () => {
  await Promise.all(open.map((database) => database.close()))
  await target.drop()
})

/** A process of its own: another pool of connections, another clock. */
async function process(now: () => number): Promise<PrivacyBudget & { readonly database: Database }> {
  const database = await openDatabase(target.url, { connectionsMax: 3 })
  open.push(database)
  const clock: Clock = { now }
  return { ...openPrivacyBudget({ store: createPostgresStore(database), jobs: createJobs(database), clock }), database }
}

/** Spends until it is refused; returns how often it was not. */
async function spendAll(budget: PrivacyBudget, name: string): Promise<number> {
  for (let n = 0; ; n++)
    try {
      await budget.reserve(`${name}-${n}`, claim)
      await budget.spend(`${name}-${n}`)
    } catch (error) {
      expect((error as EntenteError).code).toBe('budget-exceeded')
      return n
    }
}

describe('the durable privacy budget (Postgres)', () => {
  it('cannot be overspent by two processes at once, of which one has a clock that runs backwards (P4)', async () => {
    let late = 1e12
    const [a, b] = [await process(() => Date.now()), await process(() => (late -= 86_400_000))]
    await a.setLimit('own', null, LIMIT)
    const counts = await Promise.all([spendAll(a, 'a'), spendAll(b, 'b')])
    const total = counts[0] + counts[1]
    const epsilonOf = (count: number): number => epsilonOfCurve(concentratedCurve(count * RHO), LIMIT.delta)
    expect(epsilonOf(total)).toBeLessThanOrEqual(LIMIT.epsilon)
    expect(epsilonOf(total + 1)).toBeGreaterThan(LIMIT.epsilon)
    expect(Math.min(...counts)).toBeGreaterThan(0)
  })

  it('is as it was in a process that starts later, and refuses there too', async () => {
    const before = await process(() => 0)
    const [spent] = await before.statements()
    await before.database.close()
    open.splice(open.indexOf(before.database), 1)
    const after = await process(() => 0)
    expect(await after.statements()).toEqual([spent])
    await expect(after.reserve('later', claim)).rejects.toMatchObject({ code: 'budget-exceeded' })
    await after.setLimit('own', null, LIMIT)
    await expect(after.reserve('later', claim)).rejects.toMatchObject({ code: 'budget-exceeded' })
  })

  it('records each spending where auditors of the organisation find it, once', async () => {
    const budget = await process(() => 7)
    await budget.setLimit('other', null, LIMIT)
    await budget.reserve('round-1', { ...claim, dataset: 'other' })
    await budget.spend('round-1')
    await budget.spend('round-1')
    const store = createPostgresStore(budget.database)
    expect(await store.readRecord('privacy-spending', 'round-1')).toEqual({ ...claim, dataset: 'other', at: 7 })
    const events = (await store.readEvents(BUDGET_STREAM)).filter(({ id }) => id === 'spend/round-1')
    expect(events).toHaveLength(1)
    expect((await budget.statements()).map(({ dataset }) => dataset)).toEqual(['other', 'own'])
    await expect(budget.release('round-1')).rejects.toMatchObject({ code: 'invalid-request' })
  })

  it('holds each purpose to the limits of the latest start, and records every change of them', async () => {
    const budget = await process(() => 0)
    const store = createPostgresStore(budget.database)
    const changes = async () =>
      (await store.readEvents(BUDGET_STREAM)).flatMap(({ event }) => {
        const { type, dataset, purpose, limit } = event as Record<string, unknown>
        return type === 'limit-set' && dataset === 'many' ? [[purpose, (limit as Limit | null)?.epsilon ?? null]] : []
      })
    const cost = { kind: 'concentrated', rho: 0.01, delta: 0 } as const
    const tuning = (id: string) => budget.reserve(id, { dataset: 'many', purpose: 'tuning', cost })
    const limitsOf = (epsilon: number) => ({ ...LIMIT, purposes: { tuning: { epsilon, delta: 1e-5 } } })

    await budget.setLimits('many', limitsOf(0.7))
    await budget.setLimits('many', limitsOf(0.7))
    await tuning('tuning-1')
    await budget.spend('tuning-1')
    await expect(tuning('tuning-2')).rejects.toMatchObject({ code: 'budget-exceeded' })
    await budget.setLimits('many', limitsOf(1))
    await tuning('tuning-2')
    await budget.setLimits('many', limitsOf(0.25))
    await expect(tuning('tuning-3')).rejects.toMatchObject({ code: 'budget-exceeded' })
    await budget.setLimits('many', LIMIT)
    await tuning('tuning-3')
    expect(await changes()).toEqual([
      [null, 2],
      ['tuning', 0.7],
      ['tuning', 1],
      ['tuning', 0.25],
      ['tuning', null],
    ])
    const said = (await budget.statements()).find(({ dataset }) => dataset === 'many')
    expect(said?.purposes).toMatchObject([{ purpose: 'tuning', limit: null }])
  })

  it('sets a limit once, however often the node starts with it', async () => {
    const budget = await process(() => 0)
    const store = createPostgresStore(budget.database)
    const before = (await store.readEvents(BUDGET_STREAM)).length
    await budget.setLimit('own', null, LIMIT)
    await budget.setLimit('own', null, { epsilon: 4, delta: 1e-5 })
    await budget.setLimit('own', null, LIMIT)
    expect((await store.readEvents(BUDGET_STREAM)).length).toBe(before + 2)
  })
})
