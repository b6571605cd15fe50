import { randomBytes } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toBase64 } from '../../src/base/bytes.ts'
import type { Digest } from '../../src/base/ids.ts'
import { organisationId } from '../../src/base/ids.ts'
import { encodeSafetensors } from '../../src/models/formats/safetensors.ts'
import { updateMetadata } from '../../src/learning/validate-update.ts'
import { API } from '../../src/node/transport/client.ts'
import { createAuthority } from '../../src/node/transport/certificates.ts'
import {
  bearer,
  contributionBody,
  FEDERATION,
  openRound,
  type Organisation,
  organisationOver,
  put,
  refusal,
  registrationOf,
  send,
  startTestHub,
  submit,
  type TestHub,
  updateFile,
} from './federation.suite.ts'

let test: TestHub
let a: Organisation
let b: Organisation
let round: { roundId: string; baseModel: Digest }

beforeAll(async () => {
  test = await startTestHub({ blobBytesMax: 1 << 20 })
  a = await test.organisation('bank-a')
  b = await test.organisation('bank-b')
  round = await openRound(test, 'refusals')
})

afterAll(async () => {
  // Whatever was thrown at it: the hub serves, and the round that was attacked still counts an honest contribution.
  const file = updateFile(round.baseModel)
  await put(b.http, file)
  const body = contributionBody(b.id, round.roundId, round.baseModel, file)
  await expect(submit(b.http, b.letter('contribution', body))).resolves.toMatchObject({
    aggregation_eta: expect.any(Number),
  })
  await expect(test.operator.call({ method: 'GET', path: '/readyz' })).resolves.toEqual({ status: 'ready' })
  await test.close()
})

const mailbox = (organisation: Pick<Organisation, 'http'>) =>
  organisation.http.call({ method: 'GET', path: `${API}/federation/mailbox?after=0` })

/** Uploads a file and contributes it. */
async function contribute(file: Uint8Array, changes: object = {}) {
  await put(a.http, file)
  return submit(a.http, a.letter('contribution', contributionBody(a.id, round.roundId, round.baseModel, file, changes)))
}

describe('who may speak', () => {
  it('refuses a connection without a certificate', async () => {
    expect(await refusal(mailbox({ http: await test.client() }))).toBe('unauthenticated')
  })

  it('refuses a certificate of another authority', async () => {
    const other = await createAuthority(FEDERATION, Date.now())
    const http = await test.client({ role: 'organisation', organisation: a.id }, other)
    expect(await refusal(mailbox({ http }))).toBe('unauthenticated')
  })

  it("refuses a server's certificate where a client's is due", async () => {
    const http = await test.client({ role: 'hub' })
    expect(await refusal(mailbox({ http }))).toBe('unauthenticated')
  })

  it('refuses an organisation that is not registered', async () => {
    const id = organisationId('ghost')
    const ghost = organisationOver(id, randomBytes(32), await test.client({ role: 'organisation', organisation: id }))
    expect(await refusal(mailbox(ghost))).toBe('unknown-organisation')
    expect(await refusal(send(ghost.http, ghost.letter('leave', {})))).toBe('unknown-organisation')
  })

  it('refuses an organisation that was removed, though its certificate is valid', async () => {
    const c = await test.organisation('bank-c')
    expect(await refusal(mailbox(c))).toBeUndefined()
    const path = `${API}/operator/organisations/bank-c`
    await test.operator.call({ method: 'DELETE', path, json: { reason: 'test' } })
    expect(await refusal(mailbox(c))).toBe('organisation-removed')
    expect(await refusal(send(c.http, c.letter('leave', {})))).toBe('organisation-removed')
  })

  it('refuses an envelope that another organisation delivers', async () => {
    expect(await refusal(send(b.http, a.letter('leave', {})))).toBe('impersonation')
  })

  it('refuses a contribution in the name of another organisation', async () => {
    const file = updateFile(round.baseModel)
    const body = contributionBody(b.id, round.roundId, round.baseModel, file)
    expect(await refusal(submit(a.http, a.letter('contribution', body)))).toBe('impersonation')
  })

  it("keeps the operator's routes from organisations and strangers", async () => {
    const status = { method: 'GET', path: `${API}/operator/status` } as const
    expect(await refusal(a.http.call(status))).toBe('forbidden')
    expect(await refusal((await test.client()).call(status))).toBe('unauthenticated')
    expect(await refusal(test.operator.call(status))).toBeUndefined()
  })
})

describe('joining', () => {
  const join = async (
    token: string | undefined,
    changes: (json: Awaited<ReturnType<typeof registrationOf>>) => object = (json) => json,
  ) => {
    const json = changes(await registrationOf(organisationId('bank-d'), randomBytes(32)))
    const headers = token === undefined ? {} : bearer(token)
    return (await test.client()).call({ method: 'POST', path: `${API}/federation/register`, json, headers })
  }

  it('needs an invitation that exists', async () => {
    expect(await refusal(join(undefined))).toBe('unauthenticated')
    expect(await refusal(join('x'.repeat(43)))).toBe('invitation-invalid')
  })

  it('refuses an invitation that was used, and a name that is taken', async () => {
    const { token } = await test.hub.invite()
    await join(token, (json) => json)
    expect(await refusal(join(token, (json) => json))).toMatch(/organisation-exists|invitation-invalid/)
    const { token: fresh } = await test.hub.invite()
    expect(await refusal(join(fresh))).toBe('organisation-exists')
  })

  it('refuses keys that the newcomer does not hold', async () => {
    const { token } = await test.hub.invite()
    const stolen = join(token, (json) => ({ ...json, public_key: { ...json.public_key, agreement: 'A'.repeat(43) } }))
    expect(await refusal(stolen)).toBe('signature-invalid')
  })

  it('refuses a malformed registration', async () => {
    const { token } = await test.hub.invite()
    expect(await refusal(join(token, (json) => ({ ...json, org_id: 'hub' })))).toBe('invalid-request')
    expect(await refusal(join(token, ({ org_id: _, ...json }) => json))).toBe('invalid-request')
  })
})

describe('envelopes', () => {
  it('refuses one that was signed by another key', async () => {
    const forged = organisationOver(a.id, randomBytes(32), a.http).letter('leave', {})
    expect(await refusal(send(a.http, forged))).toBe('signature-invalid')
  })

  it('refuses one whose body was changed', async () => {
    const letter = a.letter('round-declined', { round_id: round.roundId, reason: 'no data' })
    expect(await refusal(send(a.http, { ...letter, body: { round_id: round.roundId, reason: 'other' } }))).toBe(
      'digest-mismatch',
    )
  })

  it('refuses one that has expired, and one from the future', async () => {
    const old = { issuedAt: Date.now() - 120_000, expiresAt: Date.now() - 60_000 }
    expect(await refusal(send(a.http, a.letter('leave', {}, old)))).toBe('envelope-expired')
    const early = { issuedAt: Date.now() + 3_600_000, expiresAt: Date.now() + 7_200_000 }
    expect(await refusal(send(a.http, a.letter('leave', {}, early)))).toBe('envelope-expired')
  })

  it('refuses one for another recipient or federation', async () => {
    expect(await refusal(send(a.http, a.letter('leave', {}, { to: b.id })))).toBe('wrong-audience')
    const elsewhere = { federation: 'other.example' as typeof FEDERATION }
    expect(await refusal(send(a.http, a.letter('leave', {}, elsewhere)))).toBe('wrong-audience')
  })

  it('refuses a type that only the hub sends, and one that nobody knows', async () => {
    expect(await refusal(send(a.http, a.letter('round-announced', {})))).toBe('invalid-request')
    expect(await refusal(send(a.http, a.letter('constructor', {})))).toBe('invalid-request')
  })
})

describe('contributions', () => {
  it.each([-1, 0, 1e12, 1.5])('refuses a sample count of %d', async (sample_count) => {
    expect(await refusal(contribute(updateFile(round.baseModel), { sample_count }))).toBe('sample-count-invalid')
  })

  it('refuses a round that does not exist', async () => {
    const file = updateFile(round.baseModel)
    const body = contributionBody(a.id, 'elsewhere-1', round.baseModel, file)
    expect(await refusal(submit(a.http, a.letter('contribution', body)))).toBe('unknown-round')
  })

  it('refuses an update of another model, whether it says so or its file does', async () => {
    const other = 'f'.repeat(64) as Digest
    expect(await refusal(contribute(updateFile(round.baseModel), { base_model: other }))).toBe('wrong-base-model')
    expect(await refusal(contribute(updateFile(other)))).toBe('wrong-base-model')
  })

  it('refuses NaN and infinity', async () => {
    for (const poison of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const file = updateFile(round.baseModel)
      new DataView(file.buffer).setFloat32(file.length - 4, poison, true)
      expect(await refusal(contribute(file))).toBe('not-finite')
    }
  })

  it('refuses tensors of another shape', async () => {
    const tensors = new Map([['layer00.bias', { shape: [7], values: new Float32Array(7) }]])
    expect(await refusal(contribute(encodeSafetensors(tensors, updateMetadata(round.baseModel))))).toBe('wrong-shape')
  })

  it('refuses a file that is no tensor file', async () => {
    expect(await refusal(contribute(new Uint8Array(64).fill(0x7b)))).toBe('model-invalid')
  })

  it('refuses an update that was not uploaded', async () => {
    const body = contributionBody(
      a.id,
      round.roundId,
      round.baseModel,
      updateFile(round.baseModel, new Float32Array(19).fill(0.5)),
    )
    expect(await refusal(submit(a.http, a.letter('contribution', body)))).toBe('blob-missing')
  })

  it('refuses an update of another size than announced', async () => {
    const file = updateFile(round.baseModel)
    await put(a.http, file)
    const { blob } = contributionBody(a.id, round.roundId, round.baseModel, file).encrypted_gradient
    expect(await refusal(contribute(file, { blob: { ...blob, size: blob.size + 1 } }))).toBe('blob-truncated')
  })

  it('refuses a file that ends before its tensors do', async () => {
    expect(await refusal(contribute(updateFile(round.baseModel).slice(0, -4)))).toMatch(/blob-truncated|model-invalid/)
  })

  it('refuses a claim of privacy that was not applied', async () => {
    const stages = [{ stage: 'noise', applied: true, norm_max: null }]
    expect(await refusal(contribute(updateFile(round.baseModel), { stages }))).toBe('invalid-request')
  })

  it('takes an honest one inline, then refuses its replay and a second one', async () => {
    const file = updateFile(round.baseModel)
    const { blob: _, ...rest } = contributionBody(a.id, round.roundId, round.baseModel, file).encrypted_gradient
    const body = { round_id: round.roundId, org_id: a.id, encrypted_gradient: { ...rest, inline: toBase64(file) } }
    const letter = a.letter('contribution', body)
    await expect(submit(a.http, letter)).resolves.toEqual({
      ack: letter.header.id,
      aggregation_eta: expect.any(Number),
    })
    expect(await refusal(submit(a.http, letter))).toBe('envelope-replayed')
    expect(await refusal(contribute(file))).toBe('already-submitted')
  })
})

describe('blobs', () => {
  it('refuses bytes that are not those of the digest', async () => {
    expect(await put(a.http, randomBytes(100), 'a'.repeat(64) as Digest)).toMatchObject({
      status: 422,
      code: 'digest-mismatch',
    })
  })

  it('refuses a blob beyond the limit before it is sent', async () => {
    const refused = await put(a.http, new Uint8Array(8), undefined, { 'upload-length': 2 ** 30 })
    expect(refused).toMatchObject({ status: 413, code: 'body-too-large' })
  })

  it('goes on with an upload where it stopped, and says where', async () => {
    const bytes = randomBytes(1000)
    const { sha256Hex } = await import('../../src/base/hash.ts')
    const digest = sha256Hex(bytes)
    const first = await put(a.http, bytes.subarray(0, 400), digest, { 'upload-length': 1000 })
    expect(first).toMatchObject({ status: 200, offset: 400 })
    const wrong = await put(a.http, bytes.subarray(500), digest, { 'upload-length': 1000, 'upload-offset': 500 })
    expect(wrong).toMatchObject({ status: 409, code: 'offset-mismatch', details: { offset: 400 } })
    const rest = await put(a.http, bytes.subarray(400), digest, { 'upload-length': 1000, 'upload-offset': 400 })
    expect(rest).toMatchObject({ status: 201 })
  })

  it('shows models to members, and no update to anyone but the operator', async () => {
    const file = updateFile(round.baseModel)
    const { digest } = contributionBody(a.id, round.roundId, round.baseModel, file).encrypted_gradient.blob
    await put(a.http, file)
    expect(await refusal(b.http.text({ method: 'GET', path: `${API}/blobs/${digest}` }))).toBe('not-found')
    expect(await refusal(b.http.text({ method: 'GET', path: `${API}/blobs/${round.baseModel}` }))).toBeUndefined()
  })
})

describe('requests', () => {
  const post = async (payload: Uint8Array, headers: Record<string, string> = {}) => {
    async function* body() {
      yield payload
    }
    const all = { 'content-type': 'application/json', 'content-length': payload.length, ...headers }
    const response = await a.http.send({ method: 'POST', path: `${API}/federation/messages`, headers: all, body })
    const chunks: Buffer[] = []
    for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
    expect(response.headers['content-type']).toMatch('application/problem+json')
    return (JSON.parse(Buffer.concat(chunks).toString()) as { code: string }).code
  }

  it('refuses what is not JSON', async () => {
    expect(await post(Buffer.from('{"header":'))).toBe('malformed-json')
    expect(await post(Buffer.from('\u0000\u0001'))).toBe('malformed-json')
  })

  it('refuses a body beyond the limit', async () => {
    expect(await post(Buffer.alloc(3 << 20, 0x20))).toBe('body-too-large')
  })

  it('refuses compressed bodies, well-formed or not', async () => {
    expect(await post(gzipSync('{}'), { 'content-encoding': 'gzip' })).toBe('invalid-request')
    expect(await post(randomBytes(50), { 'content-encoding': 'gzip' })).toBe('invalid-request')
  })

  it('refuses envelopes with fields too many or too few, naming one', async () => {
    expect(await post(Buffer.from('{}'))).toBe('invalid-request')
    expect(await post(Buffer.from(JSON.stringify({ ...a.letter('leave', {}), more: 1 })))).toBe('invalid-request')
  })

  it('says that the privacy routes are not available', async () => {
    expect(await refusal(a.http.call({ method: 'GET', path: `${API}/privacy/privacy-budget` }))).toBe('not-available')
    expect(await refusal(a.http.call({ method: 'POST', path: `${API}/privacy/encrypt`, json: {} }))).toBe(
      'not-available',
    )
  })

  it('refuses unknown routes', async () => {
    expect(await refusal(a.http.call({ method: 'GET', path: `${API}/nothing` }))).toBe('not-found')
  })
})

describe('limits', () => {
  it('refuses a peer that asks too often, and only that peer', async () => {
    const busy = await startTestHub({ requestsPerMinuteMax: 5 })
    try {
      const stranger = await busy.client()
      const codes: (string | undefined)[] = []
      for (let i = 0; i < 7; i++) codes.push(await refusal(stranger.call({ method: 'GET', path: '/healthz' })))
      expect(codes.filter((code) => code === 'rate-limited').length).toBeGreaterThan(0)
      expect(await refusal(busy.operator.call({ method: 'GET', path: '/healthz' }))).toBeUndefined()
    } finally {
      await busy.close()
    }
  })
})
