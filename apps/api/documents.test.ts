import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { toBase64 } from '../../src/base/bytes.ts'
import type { Digest } from '../../src/base/ids.ts'
import { API } from '../../src/node/transport/client.ts'
import { isDue, renewAtHub } from '../../src/node/start/renew.ts'
import { createHttpClient } from '../../src/node/transport/http.ts'
import { createRequest, issueKeyed } from '../../src/node/transport/certificates.ts'
import { decodeInvitation } from '../../src/node/transport/invitation.ts'
import {
  contributionBody,
  FEDERATION,
  openRound,
  type Organisation,
  put,
  refusal,
  send,
  SPEC,
  startTestHub,
  submit,
  type TestHub,
  updateFile,
} from './federation.suite.ts'

let test: TestHub
let members: Organisation[]

beforeAll(async () => {
  test = await startTestHub()
  members = [await test.organisation('bank-a'), await test.organisation('bank-b')]
})

afterAll(() => test.close())

const get = (path: string) =>
  members[0]!.http.call({ method: 'GET', path: `${API}${path}` }) as Promise<Record<string, unknown>>

/** What an honest organisation does in a round, by hand. */
async function takePart(
  organisation: Organisation,
  round: { roundId: string; baseModel: Digest },
  value: number,
): Promise<void> {
  const file = updateFile(round.baseModel, new Float32Array(19).fill(value))
  await put(organisation.http, file)
  await submit(
    organisation.http,
    organisation.letter('contribution', contributionBody(organisation.id, round.roundId, round.baseModel, file)),
  )
}

interface Letter {
  readonly position: number
  readonly envelope: { readonly header: { readonly type: string }; readonly body: never }
}

async function letterOf(organisation: Organisation, type: string): Promise<never> {
  for (let after = 0; ; ) {
    const path = `${API}/federation/mailbox?after=${after}&wait=5000`
    const { mail } = (await organisation.http.call({ method: 'GET', path })) as { mail: Letter[] }
    const found = mail.find(({ envelope }) => envelope.header.type === type)
    if (found !== undefined) return found.envelope.body
    after = mail.at(-1)?.position ?? after
  }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 20))
}

describe('the documented routes', () => {
  it('are described in OpenAPI 3.1, with their fields', async () => {
    const document = (await test.operator.call({ method: 'GET', path: '/openapi.json' })) as {
      openapi: string
      paths: Record<string, Record<string, unknown>>
    }
    expect(document.openapi).toBe('3.1.0')
    for (const path of [
      'federation/register',
      'federation/start-round',
      'federation/submit-gradient',
      'federation/global-model',
      'ledger/blocks',
      'ledger/block/{height}',
      'ledger/provenance/{model_hash}',
      'ledger/verify',
      'privacy/sanitize',
    ])
      expect(Object.keys(document.paths)).toContain(`${API}/${path}`)
    const submitted = JSON.stringify(document.paths[`${API}/federation/submit-gradient`])
    for (const field of ['round_id', 'org_id', 'encrypted_gradient', 'signature', 'ack', 'aggregation_eta'])
      expect(submitted).toContain(field)
  })

  it('take a round from its announcement to a block that everybody can check', async () => {
    const round = await openRound(test, 'journey')
    const [a, b] = members as [Organisation, Organisation]
    await takePart(a, round, 0.01)
    await takePart(b, round, 0.03)
    const { signBlock } = await import('../../src/ledger/block.ts')
    for (const member of members) {
      const { id, block } = (await letterOf(member, 'block-proposed')) as { id: string; block: never }
      const { height, hash } = block as { height: number; hash: string }
      await send(
        member.http,
        member.letter('block-signature', { id, height, hash, signature: signBlock(block, member.secret) }),
      )
    }
    await until(async () => ((await test.hub.training('journey')) as { phase: string }).phase === 'done')

    const model = await get('/federation/global-model?model_version=v1.1-round-1&inline=true')
    expect(Object.keys(model).sort()).toEqual(['hash', 'provenance', 'signatures', 'weights'])
    expect(Object.keys(model['signatures'] as never)).toEqual(['bank-a', 'bank-b'])
    const hash = model['hash'] as string

    const { blocks } = (await get('/ledger/blocks?from_height=0&to_height=1')) as unknown as {
      blocks: { height: number }[]
    }
    expect(blocks.map(({ height }) => height)).toEqual([0, 1])
    expect(await get('/ledger/block/1')).toEqual({ block: blocks[1] })
    expect(await refusal(get('/ledger/block/9'))).toBe('not-found')
    expect(await get(`/ledger/provenance/${hash}`)).toMatchObject({ lineage: ['v1.0-init', 'v1.1-round-1'] })

    const verify = (json: object) => a.http.call({ method: 'POST', path: `${API}/ledger/verify`, json })
    const shown = model['signatures'] as Record<string, string>
    expect(await verify({ model_hash: hash })).toEqual({ verified: true, trust_score: 1 })
    expect(await verify({ model_hash: hash, org_signatures: { 'bank-a': shown['bank-a'] } })).toEqual({
      verified: true,
      trust_score: 0.5,
    })
    expect(await verify({ model_hash: hash, org_signatures: { 'bank-a': shown['bank-b'] } })).toEqual({
      verified: false,
      trust_score: 0,
    })

    const { inspectExport } = await import('../../src/ledger/export.ts')
    const keys = (await get('/ledger/keys')) as never
    expect(inspectExport(await get('/ledger/export'), keys)).toMatchObject({
      faults: [],
      summary: { blocks: 2, modelHash: hash },
    })

    const metrics = await test.operator.text({ method: 'GET', path: '/metrics' })
    for (const line of [
      'round_number 1',
      'participating_orgs 2',
      'privacy_epsilon_used NaN',
      'privacy_budget_used NaN',
    ])
      expect(metrics).toContain(`\n${line}\n`)

    const late = contributionBody(a.id, round.roundId, round.baseModel, updateFile(round.baseModel))
    expect(await refusal(submit(a.http, a.letter('contribution', late)))).toBe('already-submitted')
    const c = await test.organisation('bank-c')
    expect(await letterOf(c, 'block-published')).toMatchObject({
      checkpoint: expect.stringContaining('isac.example\n1\n'),
    })
  })

  it('start a round from a seed, from an uploaded model and from an inline one', async () => {
    const start = (json: object) => test.operator.call({ method: 'POST', path: `${API}/federation/start-round`, json })
    const config = { model: SPEC, protection: 'plain', round: { participantsMin: 2 } }
    const fromSeed = await start({ round_number: 1, global_weights: { init: 'seed' }, config })
    expect(fromSeed).toEqual({
      round_id: expect.stringMatching(/-1$/),
      deadline: expect.any(Number),
      privacy_params: expect.any(Object),
    })
    expect(test.warnings.join()).toContain('the hub reads the update of every organisation')
    const { weights } = (await get('/federation/global-model?model_version=v1.1-round-1&inline=true')) as unknown as {
      weights: { digest: string; inline: string }
    }
    for (const global_weights of [{ digest: weights.digest }, { inline: weights.inline }])
      expect(
        await start({ round_number: 1, global_weights, config: { protection: 'plain', round: config.round } }),
      ).toHaveProperty('round_id')
    expect(await start({ round_number: 7, global_weights: { init: 'x' }, config })).toHaveProperty(
      'round_id',
      expect.stringMatching(/-7$/),
    )
    expect(await refusal(start({ round_number: 0, global_weights: { init: 'x' }, config }))).toBe('invalid-request')
    expect(await refusal(start({ round_number: 1, global_weights: { digest: 'e'.repeat(64) }, config }))).toBe(
      'blob-missing',
    )
    expect(
      await refusal(start({ round_number: 1, global_weights: { inline: toBase64(randomBytes(40)) }, config })),
    ).toMatch(/model-invalid|blob-truncated/)
    expect(
      await refusal(start({ round_number: 1, global_weights: { init: 'x' }, config: { model: SPEC, rounds: 0 } })),
    ).toBe('invalid-request')
  })

  it('make invitations that name the hub, its authority and a token', async () => {
    const json = { urls: ['https://hub.example:8443'], organisation: 'bank-z', lifetime_ms: 60_000 }
    const { invitation } = (await test.operator.call({
      method: 'POST',
      path: `${API}/operator/invitations`,
      json,
    })) as { invitation: string }
    expect(decodeInvitation(invitation, Date.now())).toMatchObject({
      urls: json.urls,
      authority: test.authority.certificate,
    })
  })

  it('give a member a new certificate for its old one, and nobody else one', async () => {
    const { id } = members[0] as Organisation
    const shown = await issueKeyed(test.authority, {
      federation: FEDERATION,
      peer: { role: 'organisation', organisation: id },
      now: Date.now(),
    })
    const material = { ...shown, authority: test.authority.certificate }
    const fresh = await renewAtHub([test.url], FEDERATION, material)
    expect(isDue(fresh.certificate, Date.now())).toBe(false)
    expect(isDue(fresh.certificate, Date.now() + 760 * 86_400_000)).toBe(true)
    const http = createHttpClient({
      urls: [test.url],
      tls: { federation: FEDERATION, material: { ...material, ...fresh } },
    })
    expect(await refusal(http.call({ method: 'GET', path: `${API}/federation/mailbox` }))).toBeUndefined()
    http.close()
    const { csr } = await createRequest()
    const asked = (await test.client()).call({ method: 'POST', path: `${API}/federation/certificate`, json: { csr } })
    expect(await refusal(asked)).toBe('unauthenticated')
  })
})
