/** A hub behind real HTTPS on a real store, and organisations that can misbehave: the ground of the API's tests. */

import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadKernels } from '../../test/kernels.ts'
import { testDatabase } from '../../test/databases.ts'
import { toBase64Url } from '../../src/base/bytes.ts'
import { type Envelope, type EnvelopeHeader, signEnvelope } from '../../src/base/envelope.ts'
import { EntenteError } from '../../src/base/errors.ts'
import { sha256Hex } from '../../src/base/hash.ts'
import { type Digest, federationId, type OrganisationId, organisationId } from '../../src/base/ids.ts'
import { publicKeyOf, sign } from '../../src/base/signature.ts'
import { expectedStages } from '../../src/learning/stages.ts'
import { parseTrainingConfig } from '../../src/learning/config.ts'
import { encodeUpdate } from '../../src/learning/update-file.ts'
import { createModel } from '../../src/models/model.ts'
import { openFileBlobs } from '../../src/node/blobs/files.ts'
import { systemClock } from '../../src/node/clock.ts'
import { createHub, type Hub } from '../../src/node/hub.ts'
import { registrationStatement } from '../../src/node/hub/registry.ts'
import { silentLogger } from '../../src/node/logging.ts'
import { systemRandom } from '../../src/node/random.ts'
import { openDatabase } from '../../src/node/storage/database.ts'
import { createJobs } from '../../src/node/storage/jobs.ts'
import { createPostgresStore } from '../../src/node/storage/postgres.ts'
import { API } from '../../src/node/transport/client.ts'
import { createHttpClient, type HttpClient } from '../../src/node/transport/http.ts'
import type { Peer } from '../../src/node/transport/spiffe.ts'
import { createAuthority, createRequest, issueKeyed } from '../../src/node/transport/certificates.ts'
import type { Authority } from '../../src/node/transport/tls.ts'
import { createHubApi } from './hub-server.ts'

export const FEDERATION = federationId('isac.example')
export const SPEC = { kind: 'mlp', inputs: 4, hidden: [3] } as const
/** In the clear, so that a test can say what the hub must refuse of an update. */
export const CONFIG = parseTrainingConfig({
  model: SPEC,
  protection: 'plain',
  privacy: null,
  rounds: 1,
  round: { participantsMin: 2 },
})

const kernels = loadKernels()
const now = (): number => systemClock.now()

export interface Organisation {
  readonly id: OrganisationId
  readonly secret: Uint8Array
  readonly http: HttpClient
  /** An envelope to the hub, as it should be or changed. */
  letter(type: string, body: unknown, changes?: Partial<EnvelopeHeader>): Envelope
}

export interface TestHub {
  readonly hub: Hub
  readonly url: string
  readonly authority: Authority
  readonly operator: HttpClient
  /** What the hub wrote into its log as warnings. */
  readonly warnings: readonly string[]
  client(peer?: Peer, authority?: Authority): Promise<HttpClient>
  organisation(name: string): Promise<Organisation>
  close(): Promise<void>
}

export async function startTestHub(
  options: { requestsPerMinuteMax?: number; blobBytesMax?: number } = {},
): Promise<TestHub> {
  const { url: databaseUrl, drop } = await testDatabase()
  const directory = await mkdtemp(join(tmpdir(), 'entente-api-'))
  const database = await openDatabase(databaseUrl)
  const blobs = await openFileBlobs(join(directory, 'blobs'))
  const jobs = createJobs(database)
  const ports = { store: createPostgresStore(database), jobs, blobs, clock: systemClock, random: systemRandom }
  const identity = { federation: FEDERATION, secret: randomBytes(32), ledgerSecret: randomBytes(32) }
  const warnings: string[] = []
  const log = { warn: (_: object, message: string) => void warnings.push(message), error: () => undefined }
  const hub = createHub(ports, identity, { kernels, log })
  const authority = await createAuthority(FEDERATION, now())
  const tls = {
    ...(await issueKeyed(authority, { federation: FEDERATION, peer: { role: 'hub' }, now: now() })),
    authority: authority.certificate,
  }
  const app = await createHubApi(hub, { tls, authority, log: silentLogger, urls: () => [], ...options })
  await app.listen({ host: '127.0.0.1', port: 0 })
  await hub.start()
  const url = `https://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  const clients: HttpClient[] = []

  async function client(peer?: Peer, issuer = authority): Promise<HttpClient> {
    const shown = peer === undefined ? {} : await issueKeyed(issuer, { federation: FEDERATION, peer, now: now() })
    const http = createHttpClient({
      urls: [url],
      tls: { federation: FEDERATION, material: { ...shown, authority: authority.certificate } },
    })
    clients.push(http)
    return http
  }

  async function organisation(name: string): Promise<Organisation> {
    const id = organisationId(name)
    const secret = randomBytes(32)
    const { token } = await hub.invite()
    const http = await client()
    await http.call({
      method: 'POST',
      path: `${API}/federation/register`,
      json: await registrationOf(id, secret),
      headers: bearer(token),
    })
    return organisationOver(id, secret, await client({ role: 'organisation', organisation: id }))
  }

  async function close(): Promise<void> {
    for (const http of clients) http.close()
    await app.close()
    await hub.stop()
    await database.close()
    await drop()
    await rm(directory, { recursive: true, force: true })
  }

  return { hub, url, authority, operator: await client({ role: 'operator' }), client, organisation, warnings, close }
}

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

/** A registration as it should be. */
export async function registrationOf(organisation: OrganisationId, secret: Uint8Array) {
  const { csr } = await createRequest()
  const agreement = toBase64Url(randomBytes(32))
  const registration = {
    organisation,
    signingKey: publicKeyOf(secret),
    agreementKey: agreement,
    endpoint: '',
    capabilities: ['train'],
  }
  const proof = sign('registration', registrationStatement(FEDERATION, registration, csr), secret)
  const public_key = { signing: registration.signingKey, agreement, csr, proof }
  return { org_id: organisation as string, public_key, endpoint: '', capabilities: ['train'] }
}

export function organisationOver(id: OrganisationId, secret: Uint8Array, http: HttpClient): Organisation {
  function letter(type: string, body: unknown, changes: Partial<EnvelopeHeader> = {}): Envelope {
    const envelopeId = toBase64Url(randomBytes(12))
    const header = {
      type,
      id: envelopeId,
      from: id,
      to: 'hub' as const,
      federation: FEDERATION,
      issuedAt: now(),
      expiresAt: now() + 60_000,
    }
    return signEnvelope({ ...header, ...changes }, body, secret)
  }
  return { id, secret, http, letter }
}

export async function send(http: HttpClient, envelope: Envelope): Promise<unknown> {
  return http.call({ method: 'POST', path: `${API}/federation/messages`, json: envelope })
}

/** Delivers in the documented form of a contribution. */
export async function submit(http: HttpClient, { header, body, signature }: Envelope): Promise<unknown> {
  const json = { ...(body as object), signature: { header, value: signature } }
  return http.call({ method: 'POST', path: `${API}/federation/submit-gradient`, json })
}

export async function put(
  http: HttpClient,
  bytes: Uint8Array,
  digest = sha256Hex(bytes),
  headers: Record<string, string | number> = {},
) {
  async function* body() {
    yield bytes
  }
  const all = { 'content-type': 'application/octet-stream', 'content-length': bytes.length, ...headers }
  const response = await http.send({ method: 'PUT', path: `${API}/blobs/${digest}`, headers: all, body })
  const chunks: Buffer[] = []
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk)
  const answer = JSON.parse(Buffer.concat(chunks).toString()) as {
    code?: string
    details?: Record<string, unknown>
    offset?: number
  }
  return { status: response.statusCode, ...answer }
}

/** Starts a training and waits until its first round takes contributions. */
export async function openRound(test: TestHub, trainingId: string): Promise<{ roundId: string; baseModel: Digest }> {
  const json = { config: CONFIG, training_id: trainingId }
  const started = (await test.operator.call({ method: 'POST', path: `${API}/operator/trainings`, json })) as {
    round_id: string
    initial_model: Digest
  }
  for (;;) {
    const record = (await test.hub.round(started.round_id).catch(() => undefined)) as { phase: string } | undefined
    if (record?.phase === 'collecting') return { roundId: started.round_id, baseModel: started.initial_model }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const model = createModel(SPEC, kernels)

/** The file of an update, of these values or of small ones. */
export function updateFile(baseModel: Digest, values = new Float32Array(model.parameterCount).fill(0.01)): Uint8Array {
  return encodeUpdate(values, model.layout, baseModel)
}

/** The body of a contribution, as it should be or changed. */
export function contributionBody(
  organisation: OrganisationId,
  roundId: string,
  baseModel: Digest,
  file: Uint8Array,
  changes: object = {},
) {
  const gradient = {
    blob: { digest: sha256Hex(file), size: file.length },
    base_model: baseModel,
    sample_count: 100,
    stages: expectedStages(CONFIG),
    metrics: { loss: 0.5 },
    data_sources: ['zeek-tsv'],
  }
  return { round_id: roundId, org_id: organisation, encrypted_gradient: { ...gradient, ...changes } }
}

/** The code with which a call is refused; undefined if it is not. */
export async function refusal(call: Promise<unknown>): Promise<string | undefined> {
  try {
    await call
    return undefined
  } catch (error) {
    if (error instanceof EntenteError) return error.code
    throw error
  }
}
