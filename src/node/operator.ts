/** The operator's calls to the hub's API, with the operator's certificate from the hub's directory. */

import { join } from 'node:path'
import { fail } from '../base/errors.ts'
import type { Digest } from '../base/ids.ts'
import type { LedgerExport, LedgerKeys } from '../ledger/export.ts'
import { readConfig } from './config.ts'
import type { HubStatus, OrganisationStatus } from './hub/status.ts'
import { readRuntimeFile } from './runtime-file.ts'
import { readKeyed, readNodeFile } from './start/files.ts'
import { API } from './transport/client.ts'
import { downloadToFile } from './transport/download.ts'
import { createHttpClient, type HttpClient } from './transport/http.ts'
import type { TrainingView, RoundView } from './views.ts'

export interface Operator {
  /** The invitation as one string. `urls`: the hub's addresses as the organisation reaches them. */
  invite(options?: {
    organisation?: string
    lifetimeMs?: number
    urls?: readonly string[]
  }): Promise<{ invitation: string; expiresAt: number }>
  organisations(): Promise<readonly OrganisationStatus[]>
  remove(organisation: string, reason: string): Promise<void>
  startTraining(request: {
    config: unknown
    trainingId?: string
    initialModel?: Digest
  }): Promise<{ trainingId: string; roundId: string; initialModel: Digest; deadline: number }>
  stopTraining(trainingId: string): Promise<void>
  trainings(): Promise<readonly TrainingView[]>
  training(trainingId: string): Promise<TrainingView>
  round(roundId: string): Promise<RoundView>
  status(): Promise<HubStatus>
  exportLedger(): Promise<LedgerExport>
  ledgerKeys(): Promise<LedgerKeys>
  /** Any GET of the API below its prefix, e.g. `/ledger/blocks?from_height=0`. */
  get(path: string): Promise<unknown>
  /** Prometheus text. */
  metrics(): Promise<string>
  /** Writes the file of a model, verified against its digest. */
  downloadModel(model: Digest, path: string): Promise<void>
  close(): void
}

interface StartedAnswer {
  readonly training_id: string
  readonly round_id: string
  readonly initial_model: Digest
  readonly deadline: number
}

/**
 * A client for the hub of this directory: of the running process there, or at the addresses given.
 * @throws config-invalid; unavailable if no hub runs there
 */
export async function openOperator(directory: string, urls?: readonly string[]): Promise<Operator> {
  const { federation } = await readConfig(directory)
  const material = {
    ...(await readKeyed(directory, 'operator')),
    authority: await readNodeFile(directory, 'tls/authority.pem'),
  }
  return operatorOver(createHttpClient({ urls: urls ?? [await runningHub(directory)], tls: { federation, material } }))
}

async function runningHub(directory: string): Promise<string> {
  const url = (await readRuntimeFile(directory))?.urls['api']
  return url ?? fail('unavailable', `no hub runs in ${join(directory)}: start it with "entente hub start"`)
}

function operatorOver(http: HttpClient): Operator {
  const get = (path: string) => http.call({ method: 'GET', path: `${API}${path}` })
  const send = (method: 'POST' | 'DELETE', path: string, json?: unknown) =>
    http.call({ method, path: `${API}/operator${path}`, ...(json === undefined ? {} : { json }) })
  const name = encodeURIComponent

  return {
    async invite({ organisation, lifetimeMs, urls } = {}) {
      const answer = (await send('POST', '/invitations', { organisation, lifetime_ms: lifetimeMs, urls })) as {
        invitation: string
        expires_at: number
      }
      return { invitation: answer.invitation, expiresAt: answer.expires_at }
    },
    organisations: async () =>
      ((await get('/operator/organisations')) as { organisations: OrganisationStatus[] }).organisations,
    remove: async (organisation, reason) =>
      void (await send('DELETE', `/organisations/${name(organisation)}`, { reason })),
    async startTraining({ config, trainingId, initialModel }) {
      const answer = await send('POST', '/trainings', { config, training_id: trainingId, initial_model: initialModel })
      const { training_id, round_id, initial_model, deadline } = answer as StartedAnswer
      return { trainingId: training_id, roundId: round_id, initialModel: initial_model, deadline }
    },
    stopTraining: async (id) => void (await send('DELETE', `/trainings/${name(id)}`)),
    trainings: async () => ((await get('/operator/trainings')) as { trainings: TrainingView[] }).trainings,
    training: async (id) => (await get(`/operator/trainings/${name(id)}`)) as TrainingView,
    round: async (id) => (await get(`/operator/rounds/${name(id)}`)) as RoundView,
    status: async () => (await get('/operator/status')) as HubStatus,
    exportLedger: async () => (await get('/ledger/export')) as LedgerExport,
    ledgerKeys: async () => (await get('/ledger/keys')) as LedgerKeys,
    get,
    metrics: async () => http.text({ method: 'GET', path: '/metrics' }),
    downloadModel: (model, path) => downloadToFile(http, model, path),
    close: http.close,
  }
}
