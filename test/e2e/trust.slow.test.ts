/** Who may speak to a hub, over the real wire; and that a node which is told to stop loses nothing. */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { signEnvelope } from '../../src/base/envelope.ts'
import type { EntenteError } from '../../src/base/errors.ts'
import { federationId, organisationId } from '../../src/base/ids.ts'
import { readConfig } from '../../src/node/config.ts'
import { readKeyed, readNodeFile, readSecret } from '../../src/node/start/files.ts'
import { API } from '../../src/node/transport/client.ts'
import { type ClientTls, createHttpClient, type HttpClient } from '../../src/node/transport/http.ts'
import { createAuthority, issueKeyed } from '../../src/node/transport/certificates.ts'
import { CONFIG, startFederation, type TestFederation } from './federation.ts'
import { closeGate, type Transition } from './gate.ts'
import { forgetBlobs, type Outcome, outcomeOf } from './outcome.ts'

let federation: TestFederation
let undisturbed: Outcome
const clients: HttpClient[] = []

beforeAll(async () => {
  federation = await startFederation()
  await federation.startTraining('undisturbed')
  await federation.finish('undisturbed')
  undisturbed = await outcomeOf(federation, 'undisturbed')
})

afterEach(() => {
  for (const client of clients.splice(0)) client.close()
})

afterAll(() => federation?.close())

const directoryOf = (node: string): string => join(federation.directory, node)

async function client(material: ClientTls['material']): Promise<HttpClient> {
  const { federation: name } = await readConfig(federation.hubDirectory)
  const urls = [String(federation.processes.get('hub')?.ready['api'])]
  const http = createHttpClient({ urls, tls: { federation: name, material } })
  clients.push(http)
  return http
}

const authority = (): Promise<string> => readNodeFile(federation.hubDirectory, 'tls/authority.pem')

/** With the organisation's own certificate, from its directory. */
async function clientOf(organisation: string): Promise<HttpClient> {
  const own = await readKeyed(directoryOf(organisation), 'organisation')
  return client({ ...own, authority: await authority() })
}

async function letterOf(organisation: string, secretOwner: string) {
  const { federation: name } = await readConfig(federation.hubDirectory)
  const secret = await readSecret(directoryOf(secretOwner), 'signing')
  const issuedAt = Date.now()
  const header = {
    type: 'round-declined',
    id: `test-${issuedAt}-${secretOwner}`,
    from: organisationId(organisation),
    to: 'hub' as const,
    federation: name,
    issuedAt,
    expiresAt: issuedAt + 60_000,
  }
  return signEnvelope(header, { round_id: 'undisturbed-1', reason: 'test' }, secret)
}

const mailbox = { method: 'GET', path: `${API}/federation/mailbox?after=0&wait=0` } as const
const message = (json: unknown) => ({ method: 'POST', path: `${API}/federation/messages`, json }) as const

async function refusal(answer: Promise<unknown>): Promise<string> {
  return answer.then(
    () => 'accepted',
    (error: EntenteError) => error.code,
  )
}

describe('the hub, over mutual TLS,', () => {
  it('hands out mail to nobody without a certificate', async () => {
    const http = await client({ authority: await authority() })
    expect(await refusal(http.call(mailbox))).toBe('unauthenticated')
  })

  it('believes no certificate of another authority, though it names the same federation and organisation', async () => {
    const [name = ''] = federation.organisations
    const { federation: served } = await readConfig(federation.hubDirectory)
    const other = await createAuthority(served, Date.now())
    const peer = { role: 'organisation', organisation: organisationId(name) } as const
    const forged = await issueKeyed(other, { federation: served, peer, now: Date.now() })
    expect(await refusal((await client({ ...forged, authority: await authority() })).call(mailbox))).not.toBe(
      'accepted',
    )
  })

  it('believes no certificate of its own authority that names another federation', async () => {
    const [name = ''] = federation.organisations
    const elsewhere = federationId('elsewhere.example')
    const issuer = await readKeyed(federation.hubDirectory, 'authority')
    const peer = { role: 'organisation', organisation: organisationId(name) } as const
    const foreign = await issueKeyed(issuer, { federation: elsewhere, peer, now: Date.now() })
    expect(await refusal((await client({ ...foreign, authority: await authority() })).call(mailbox))).toBe(
      'unauthenticated',
    )
  })

  it('takes an envelope only over the connection of its sender, and only with its signature', async () => {
    const [a = '', b = ''] = federation.organisations
    const http = await clientOf(a)
    expect(await refusal(http.call(message(await letterOf(b, b))))).toBe('impersonation')
    expect(await refusal(http.call(message(await letterOf(a, b))))).toBe('signature-invalid')
    expect(await refusal(http.call(mailbox))).toBe('accepted')
  })

  it('lets no organisation do what the operator does', async () => {
    const http = await clientOf(federation.organisations[0] ?? '')
    for (const path of ['/operator/status', '/operator/organisations'])
      expect(await refusal(http.call({ method: 'GET', path: `${API}${path}` }))).toBe('forbidden')
  })
})

describe('told to stop in the middle of a round,', () => {
  const cases: readonly { node: 'hub' | 'organisation'; at: Transition }[] = [
    { node: 'hub', at: { stream: 'round/ROUND', event: 'contribution-received', nth: 2 } },
    { node: 'hub', at: { stream: 'round/ROUND', event: 'aggregated' } },
    { node: 'organisation', at: { stream: 'participant/ROUND', event: 'trained' } },
    { node: 'organisation', at: { stream: 'participant/ROUND', event: 'contributed' } },
  ]
  it.each(cases)(
    'the $node ends with 0 before "$at.event", and the round ends with the same model',
    async (planned) => {
      const node = planned.node === 'hub' ? 'hub' : (federation.organisations[0] ?? '')
      const training = `stopped-${cases.indexOf(planned)}`
      await forgetBlobs(federation)
      const stream = planned.at.stream.replace('ROUND', `${training}-1`)
      const gate = await closeGate(federation.databaseUrl(node), { ...planned.at, stream })
      await federation.startTraining(training)
      await gate.reached()
      const running = federation.processes.get(node)
      const started = performance.now()
      const stopped = running?.stop()
      await sleep(300)
      await gate.open()
      await stopped
      console.log(`${node} ended ${Math.round(performance.now() - started)} ms after SIGTERM`)
      expect(await running?.exited).toBe(0)
      expect(existsSync(join(directoryOf(node), 'runtime.json'))).toBe(false)
      await federation.start(node)
      await federation.finish(training)
      expect(await outcomeOf(federation, training)).toEqual(undisturbed)
    },
  )
})

describe('an organisation that was removed', () => {
  it('in the middle of a round is refused at once, and the round goes on without it', async () => {
    const [removed = '', ...staying] = federation.organisations
    const config = { ...CONFIG, round: { ...CONFIG.round, participantsMin: 2 } }
    const stream = 'participant/without-1'
    const gate = await closeGate(federation.databaseUrl(removed), { stream, event: 'trained' })
    await federation.operator.startTraining({ config, trainingId: 'without' })
    await gate.reached()
    await federation.operator.remove(removed, 'the contract has ended')
    const http = await clientOf(removed)
    expect(await refusal(http.call(mailbox))).toBe('organisation-removed')
    expect(await refusal(http.call(message(await letterOf(removed, removed))))).toBe('organisation-removed')
    await gate.open()
    await federation.finish('without')
    const round = await federation.operator.round('without-2')
    expect([...round.submitted].sort()).toEqual([...staying].sort())
  })
})
