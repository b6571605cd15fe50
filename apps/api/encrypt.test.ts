import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fromBase64Url, utf8 } from '../../src/base/bytes.ts'
import { sha256Hex } from '../../src/base/hash.ts'
import { organisationId } from '../../src/base/ids.ts'
import { systemRandom } from '../../src/node/random.ts'
import { dealForTest, openForTest } from '../../src/privacy/homomorphic/paillier/fixtures.ts'
import { authorise, ownServer } from './own-server.fixture.ts'
import { encryptRoute } from './routes/encrypt.ts'
import type { Api } from './server.ts'

const organisations = ['a', 'b'].map(organisationId)
const { parameters, shares } = dealForTest({ organisations, threshold: 2, levels: 1000, contributionsMax: 2 })
let app: Api
beforeAll(async () => {
  app = await ownServer()
  encryptRoute(app, '/api', { random: systemRandom, authorise })
})
afterAll(() => app.close())

async function post(body: object, token = 'right') {
  const headers = { authorization: `Bearer ${token}` }
  const { statusCode, payload } = await app.inject({
    method: 'POST',
    url: '/api/privacy/encrypt',
    payload: body,
    headers,
  })
  return { statusCode, body: JSON.parse(payload) as Record<string, never> }
}

describe('privacy/encrypt of an organisation', () => {
  it('encrypts a weighted gradient that the holders of shares open together', async () => {
    const weights = { sample_count: 1, sample_count_max: 2, clip: 2 }
    const { statusCode, body } = await post({ gradient: [2, -1, 0, 5], public_key: parameters, ...weights })
    expect(statusCode).toBe(200)
    expect(body).toMatchObject({ scheme: 'paillier', length: 4, levels: 1000, clipped: 1 })
    const scheme = openForTest(parameters)
    const vector = fromBase64Url(body['encrypted_gradient'] ?? '') ?? new Uint8Array(0)
    const statement = sha256Hex(utf8('test'))
    const partials = await Promise.all(
      shares.map(async ({ organisation, share }) => ({
        organisation,
        bytes: await scheme.partialDecrypt(vector, share, statement, new Uint8Array(32)),
      })),
    )
    const opened = await scheme.combine(vector, partials, statement)
    expect(opened.opened && [...opened.sums]).toEqual([500, -250, 0, 500])
  })

  it('is for its own administrator only, and takes no malformed key, weight or gradient', async () => {
    const body = { gradient: [1], public_key: parameters }
    expect((await post(body, 'wrong')).statusCode).toBe(401)
    expect(await post({ ...body, public_key: { format: 'entente-paillier-parameters-2' } })).toMatchObject({
      statusCode: 422,
      body: { code: 'input-invalid' },
    })
    expect((await post({ ...body, sample_count: 2 })).statusCode).toBe(400)
    expect((await post({ ...body, gradient: [] })).statusCode).toBe(400)
    expect((await post({ ...body, gradient: [1e39] })).body).toMatchObject({ code: 'not-finite' })
  })
})
