import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestDatabase, testDatabase } from '../../test/databases.ts'
import { systemClock } from '../../src/node/clock.ts'
import { openPrivacyBudget, OWN_DATA } from '../../src/node/privacy-budget/privacy-budget.ts'
import { type Database, openDatabase } from '../../src/node/storage/database.ts'
import { createJobs } from '../../src/node/storage/jobs.ts'
import { createPostgresStore } from '../../src/node/storage/postgres.ts'
import { authorise, ownServer } from './own-server.fixture.ts'
import { privacyBudgetRoute } from './routes/privacy-budget.ts'
import type { Api } from './server.ts'

let app: Api
let target: TestDatabase
let database: Database
beforeAll(async () => {
  target = await testDatabase()
  database = await openDatabase(target.url)
  const budget = openPrivacyBudget({
    store: createPostgresStore(database),
    jobs: createJobs(database),
    clock: systemClock,
  })
  await budget.setLimits(OWN_DATA, {
    epsilon: 2,
    delta: 1e-5,
    purposes: { tuning: { epsilon: 0.5, delta: 1e-5 }, tiny: { epsilon: 0.5, delta: 1e-9 } },
  })
  await budget.reserve('round-1', {
    dataset: OWN_DATA,
    purpose: 'training',
    cost: { kind: 'concentrated', rho: 0.01, delta: 1e-9 },
  })
  await budget.spend('round-1')
  await budget.setLimits('held-out', { epsilon: 2, delta: 1e-5 })
  await budget.reserve('verdict-1', {
    dataset: 'held-out',
    purpose: 'validation',
    cost: { kind: 'concentrated', rho: 0.01, delta: 1e-9 },
  })
  await budget.setLimits('held-out', { epsilon: 2, delta: 1e-10 })
  app = await ownServer()
  privacyBudgetRoute(app, '/api', {
    budget,
    authorise,
  })
})
afterAll(async () => {
  await app.close()
  await database.close()
  await target.drop()
})

async function get(query = '', token = 'right') {
  const headers = { authorization: `Bearer ${token}` }
  const { statusCode, payload } = await app.inject({
    method: 'GET',
    url: `/api/privacy/privacy-budget${query}`,
    headers,
  })
  return { statusCode, body: JSON.parse(payload) as Record<string, unknown> }
}

describe('privacy/privacy-budget of an organisation', () => {
  it('says what remains, of what, and what for', async () => {
    const { statusCode, body } = await get()
    expect(statusCode).toBe(200)
    expect(body).toMatchObject({
      dataset: 'own',
      limit: { epsilon: 2, delta: 1e-5 },
      purposes: [
        { purpose: 'tiny', limit: { epsilon: 0.5, delta: 1e-9 } },
        { purpose: 'training', limit: null },
        { purpose: 'tuning', limit: { epsilon: 0.5 }, remaining_epsilon: 0.5, total_used: 0 },
      ],
    })
    const [left, used] = [body['remaining_epsilon'] as number, body['total_used'] as number]
    expect(used).toBeGreaterThan(0.3)
    expect(left + used).toBeCloseTo(2, 9)
    expect(body['remaining_delta']).toBeCloseTo(1e-5 - 1e-9, 15)
  })

  it('has no figure for what no epsilon covers at the delta that is left', async () => {
    const { statusCode, body } = await get('?dataset=held-out')
    expect(statusCode).toBe(200)
    expect(body).toMatchObject({ total_used: null, remaining_epsilon: 0, remaining_delta: 0 })
  })

  it('is for the administrator only, and for data sets that have a budget', async () => {
    expect((await get('', 'wrong')).statusCode).toBe(401)
    expect((await get('?dataset=other')).statusCode).toBe(404)
  })
})
