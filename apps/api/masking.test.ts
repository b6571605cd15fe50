/** A masked round over real HTTPS and Postgres, with participants driven by hand: what the hub takes, and what it refuses. */

import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { toBase64Url } from '../../src/base/bytes.ts'
import type { Envelope } from '../../src/base/envelope.ts'
import { sha256Hex } from '../../src/base/hash.ts'
import { parseTrainingConfig } from '../../src/learning/config.ts'
import { maskingContext } from '../../src/learning/masking-config.ts'
import type { RoundAnnouncement } from '../../src/learning/messages.ts'
import { createModel } from '../../src/models/model.ts'
import { loadKernels } from '../../src/node/kernels.ts'
import { API } from '../../src/node/transport/client.ts'
import type { ClientEffect, ClientEvent, ClientState } from '../../src/privacy/masking/client-state.ts'
import { maskingClient } from '../../src/privacy/masking/client.ts'
import { maskUpdate } from '../../src/privacy/masking/vector.ts'
import {
  contributionBody,
  FEDERATION,
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
import { taskOf } from '../../src/learning/round-task.ts'

const VALUE = 0.25
const length = createModel(SPEC, loadKernels()).parameterCount
const config = parseTrainingConfig({ protection: 'secagg', privacy: null, rounds: 1 }, SPEC)

/** A participant whose letters the test sends when it likes. */
class Participant {
  state: ClientState = { phase: 'idle' }
  vector: Uint8Array = new Uint8Array()
  readonly organisation: Organisation
  readonly #mail: Envelope[] = []
  #position = 0

  constructor(organisation: Organisation) {
    this.organisation = organisation
  }

  /** The next letter of this type; what comes before it is kept. */
  async letter<Body>(type: string): Promise<Body> {
    for (;;) {
      const at = this.#mail.findIndex(({ header }) => header.type === type)
      const [found] = at < 0 ? [] : this.#mail.splice(at, 1)
      if (found !== undefined) return found.body as Body
      const path = `${API}/federation/mailbox?after=${this.#position}&wait=5000`
      const { mail } = (await this.organisation.http.call({ method: 'GET', path })) as {
        mail: { position: number; envelope: Envelope }[]
      }
      for (const { position, envelope } of mail) {
        this.#position = position
        this.#mail.push(envelope)
      }
    }
  }

  step(event: ClientEvent): ClientEffect {
    const { id, secret } = this.organisation
    const { state, effects } = maskingClient({ organisation: id, secret }).step(this.state, event)
    this.state = state
    return effects[0] ?? expect.fail('nothing follows')
  }

  async open(weight: number): Promise<ClientEffect> {
    let announced = await this.letter<RoundAnnouncement>('round-announced')
    while (announced.round_id !== current) announced = await this.letter<RoundAnnouncement>('round-announced')
    const { round_id, invited = [] } = announced
    const where = { federation: FEDERATION, round: round_id, task: taskOf(announced), invited, length }
    this.state = { phase: 'idle' }
    const context = maskingContext(config, where, { normMax: null, grid: null })
    return this.step({ type: 'opened', context, weight, rounding: 'r', seed: toBase64Url(randomBytes(32)), at: 0 })
  }

  async hear(type: 'roster' | 'inbox' | 'survivors' | 'quorum'): Promise<ClientEffect> {
    const { body } = await this.letter<{ body: never }>(`masking-${type}`)
    const named = { roster: { members: body }, inbox: { inbox: body }, survivors: { survivors: body } }
    return this.step({ type, ...(type === 'quorum' ? { agreements: body } : named[type]), at: 0 } as ClientEvent)
  }

  say(message: string, body: unknown): Promise<unknown> {
    const { http, letter } = this.organisation
    return send(http, letter(message, { round_id: current, body }))
  }

  tell(effect: ClientEffect): Promise<unknown> {
    if (effect.type === 'reveal') return this.say('masking-reveal', effect.body)
    return effect.type === 'send' ? this.say(effect.message, effect.body) : expect.fail(effect.type)
  }
}

let test: TestHub
let all: Participant[]
/** The round of the test. */
let current = ''

async function train(id: string): Promise<void> {
  current = `${id}-1`
  const json = { config, training_id: id }
  await test.operator.call({ method: 'POST', path: `${API}/operator/trainings`, json })
}

beforeAll(async () => {
  test = await startTestHub()
  all = []
  for (const name of ['bank-a', 'bank-b', 'bank-c']) all.push(new Participant(await test.organisation(name)))
})

afterAll(() => test.close())

const bodyOf = (effect: ClientEffect) => (effect.type === 'send' ? effect.body : expect.fail(effect.type))

it('names to the operator who dealt shares of another seed than it published, and nobody else', async () => {
  await train('spoilt')
  for (const one of all) await one.tell(await one.open(10))
  for (const one of all) {
    const effect = await one.hear('roster')
    if (effect.type !== 'send') expect.fail(effect.type)
    const lie = one.organisation.id === 'bank-c' ? { selfSeed: '0'.repeat(64) } : {}
    await one.say(effect.message, { ...effect.body, ...lie })
  }
  for (const one of all) {
    const effect = await one.hear('inbox')
    if (effect.type !== 'mask') expect.fail(effect.type)
    const { words } = maskUpdate(effect.order, new Float32Array(length).fill(VALUE))
    await put(one.organisation.http, words)
    await one.tell(one.step({ type: 'vector-masked', vector: sha256Hex(words), at: 0 }))
  }
  for (const one of all) await one.tell(await one.hear('survivors'))
  for (const one of all) await one.tell(await one.hear('quorum'))
  const record = () => test.operator.call({ method: 'GET', path: `${API}/operator/rounds/spoilt-1` })
  await vi.waitFor(async () => expect(await record()).toMatchObject({ phase: 'abandoned' }), 20_000)
  const { reason, detail, blamed, disputed } = (await record()) as Record<string, unknown>
  expect({ reason, detail, blamed, disputed }).toEqual({
    reason: 'masking-failed',
    detail: 'false-shares: the shares of a secret do not open it',
    blamed: ['bank-c'],
    disputed: undefined,
  })
  await test.operator.call({ method: 'DELETE', path: `${API}/operator/trainings/spoilt` })
}, 60_000)

it('takes each message once from whom it is, vectors that are there and whole, and finds the exact mean', async () => {
  await train('hidden')
  const [a, b, c] = all as [Participant, Participant, Participant]
  const keys = [await a.open(10), await b.open(20), await c.open(30)]
  const file = updateFile(sha256Hex(new Uint8Array()))
  await put(a.organisation.http, file)
  const clear = contributionBody(a.organisation.id, 'hidden-1', sha256Hex(new Uint8Array()), file)
  expect(await refusal(submit(a.organisation.http, a.organisation.letter('contribution', clear)))).toBe(
    'invalid-request',
  )
  expect(await refusal(a.say('masking-keys', bodyOf(keys[1] as ClientEffect)))).toBe('impersonation')
  expect(await refusal(a.say('masking-keys', { ...bodyOf(keys[0] as ClientEffect), weight: 11 }))).toBe(
    'signature-invalid',
  )
  expect(await refusal(a.say('masking-roster', []))).toBe('invalid-request')
  for (const [i, one] of all.entries()) await one.tell(keys[i] as ClientEffect)
  for (const one of all) await one.tell(await one.hear('roster'))

  for (const one of all) {
    const effect = await one.hear('inbox')
    if (effect.type !== 'mask') expect.fail(effect.type)
    one.vector = maskUpdate(effect.order, new Float32Array(length).fill(VALUE)).words
  }
  const input = (one: Participant, bytes: Uint8Array) =>
    one.step({ type: 'vector-masked', vector: sha256Hex(bytes), at: 0 })
  const short = a.vector.subarray(4)
  const before = a.state
  const cut = input(a, short)
  expect(await refusal(a.tell(cut))).toBe('blob-missing')
  await put(a.organisation.http, short)
  expect(await refusal(a.tell(cut))).toBe('wrong-shape')
  a.state = before
  for (const one of all) {
    const whole = input(one, one.vector)
    await put(one.organisation.http, one.vector)
    await one.tell(whole)
  }
  expect(await refusal(a.tell(cut))).toBe('round-closed')

  for (const one of all) await one.tell(await one.hear('survivors'))
  for (const one of all) await one.tell(await one.hear('quorum'))
  const { block } = await a.letter<{ block: Record<string, never> }>('block-proposed')
  const { gradient_norm: norm } = block['aggregation_metrics'] as unknown as { gradient_norm: number }
  expect(norm).toBeCloseTo(VALUE * Math.sqrt(length), 5)
  const { participants } = block['provenance'] as unknown as {
    participants: { org_id: string; sample_count: number }[]
  }
  expect(participants.map(({ org_id, sample_count }) => [org_id, sample_count])).toEqual([
    ['bank-a', 10],
    ['bank-b', 20],
    ['bank-c', 30],
  ])
}, 60_000)
