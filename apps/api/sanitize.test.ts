import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemRandom } from '../../src/node/random.ts'
import { authorise, ownServer } from './own-server.fixture.ts'
import { sanitizeRoute } from './routes/sanitize.ts'
import type { Api } from './server.ts'

let app: Api
beforeAll(async () => {
  app = await ownServer()
  sanitizeRoute(app, '/api', {
    federation: 'test.example',
    random: systemRandom,
    authorise,
  })
})
afterAll(() => app.close())

async function post(body: object, token = 'right') {
  const headers = { authorization: `Bearer ${token}` }
  const { statusCode, payload } = await app.inject({
    method: 'POST',
    url: '/api/privacy/sanitize',
    payload: body,
    headers,
  })
  return { statusCode, body: JSON.parse(payload) as Record<string, never> }
}

describe('privacy/sanitize of an organisation', () => {
  it('gives back what may leave, null for what must not, and a report', async () => {
    const lines = ['{"event_type":"flow","src_ip":"10.1.2.3","secret":"x"}', 'no json']
    const { statusCode, body } = await post({ format: 'suricata-eve', lines })
    expect(statusCode).toBe(200)
    expect(body).toMatchObject({
      lines: [expect.stringContaining('"src_ip"'), null],
      report: { linesDropped: { json: 1 } },
    })
    expect(JSON.stringify(body)).not.toContain('10.1.2.3')
  })

  it('gives the same pseudonym again in one epoch, and another in the next', async () => {
    const ask = async (epoch: string): Promise<unknown> =>
      (await post({ lines: ['from 10.1.2.3'], epoch })).body['lines']
    expect(await ask('1')).toEqual(await ask('1'))
    expect(await ask('2')).not.toEqual(await ask('1'))
  })

  it('clips a gradient to the sensitivity, as the ledger document asks', async () => {
    const asked = { raw_gradient: [3, 0, -4], sensitivity: 2.5, config: {} }
    expect((await post(asked)).body).toEqual({ sanitized_gradient: [1.5, 0, -2], norm: 5, clipped: true })
    const short = { raw_gradient: [0.3], sensitivity: 1 }
    expect((await post(short)).body).toEqual({ sanitized_gradient: [0.3], norm: 0.3, clipped: false })
  })

  it.each([
    { raw_gradient: [], sensitivity: 1 },
    { raw_gradient: [1] },
    { raw_gradient: [1], sensitivity: 0 },
    { raw_gradient: [1], sensitivity: 1, lines: ['x'] },
    { raw_gradient: [1], sensitivity: 1, config: { sigma: 1 } },
    { raw_gradient: ['1'], sensitivity: 1 },
    { raw_gradient: [null], sensitivity: 1 },
    { raw_gradient: [1e300], sensitivity: 1 },
    { raw_gradient: Array.from({ length: 50_001 }, () => 0), sensitivity: 1 },
  ])('refuses a gradient that is none, too long, without a bound, or with more than it takes: %#', async (asked) => {
    expect((await post(asked)).statusCode).toBe(400)
  })

  it('is for its own administrator only, and takes nothing else', async () => {
    expect((await post({ lines: ['x'] }, 'wrong')).statusCode).toBe(401)
    expect((await post({ lines: [] })).statusCode).toBe(400)
    expect((await post({ lines: ['x'], format: 'xml' })).statusCode).toBe(400)
  })
})
