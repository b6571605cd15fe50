/** An organisation's process: its data, its connection to the hub, its control interface on loopback. */

import { setTimeout as wait } from 'node:timers/promises'
import { toBase64Url } from '../../base/bytes.ts'
import { fail } from '../../base/errors.ts'
import { systemClock } from '../clock.ts'
import { type OrganisationConfig, readConfig } from '../config.ts'
import { loadKernels } from '../kernels.ts'
import { createLogger, type Logger } from '../logging.ts'
import { createOrganisation, type OrganisationNode } from '../organisation.ts'
import { datasetDirectory, ensureDataset } from '../own-data.ts'
import type { HubConnection, Trainer } from '../ports.ts'
import { systemRandom } from '../random.ts'
import { removeRuntimeFile, writeRuntimeFile } from '../runtime-file.ts'
import type { ServeControl } from '../serving.ts'
import { createTrainer } from '../trainer.ts'
import { createHubClient } from '../transport/client.ts'
import type { TlsMaterial } from '../transport/tls.ts'
import { acceptedBy, openKey } from './encryption.ts'
import { readKeyed, readNodeFile, readSecret, writeKeyed } from './files.ts'
import { createLifecycle, type Lifecycle, type RunningNode, starting } from './lifecycle.ts'
import { readMembership } from './membership.ts'
import { openPorts } from './ports.ts'
import { isDue, renewAtHub } from './renew.ts'

export interface OrganisationStart {
  /** `serveControl` of apps/api. */
  readonly serve: ServeControl
  /** Rows ingested so far, while a new data set is made. */
  readonly onIngest?: (rows: number) => void
  /** Stands between the node and its training. */
  readonly wrapTrainer?: (trainer: Trainer) => Trainer
}

/** Resolves when the node is connected to its database, has its data set and answers commands. @throws config-invalid */
export async function startOrganisation(
  directory: string,
  { serve, onIngest, wrapTrainer = (trainer) => trainer }: OrganisationStart,
): Promise<RunningNode> {
  const config = await readConfig(directory)
  if (config.role !== 'organisation')
    fail('config-invalid', `${directory} is the directory of a hub, not of an organisation`)
  const { federation, organisation } = config
  const log = createLogger({ level: config.logLevel, fields: { role: 'organisation', federation, organisation } })
  const lifecycle = createLifecycle(log)
  return starting(lifecycle, async () => {
    const { hubKey, ledgerKey } = await readMembership(directory)
    const secret = await readSecret(directory, 'signing')
    const ports = await openPorts(directory, config, lifecycle, log)
    const trainer = createTrainer({
      directory: datasetDirectory(directory),
      trainUntil: config.data.trainUntil,
      families: config.data.labels,
      response: config.response,
      threads: config.trainingThreads,
    })
    lifecycle.onStop('trainer', () => trainer.close())
    const connection = await connect(directory, config, lifecycle, log)
    const dataSources = await prepareData(directory, config, onIngest)
    const encryption = await openKey(config, lifecycle)
    const node = createOrganisation(
      { ...ports, connection, trainer: wrapTrainer(trainer), sleep },
      { federation, organisation, secret, hubKey, ledgerKey },
      {
        kernels: loadKernels(),
        log,
        dataSources,
        privacyBudget: config.privacyBudget,
        ...(config.purposes === undefined ? {} : { purposes: config.purposes }),
        validateModels: config.validateModels,
        accepts: acceptedBy(config, encryption),
        mechanisms: config.noiseMechanisms,
        requirePrivacy: config.requirePrivacy,
        ...(encryption === undefined ? {} : { encryption }),
      },
    )
    await node.start()
    lifecycle.onStop('jobs', () => node.stop())
    poll(node, lifecycle)
    const token = toBase64Url(systemRandom.bytes(32))
    const api = await serve(node, { listen: config.listen, token, log })
    lifecycle.onStop('server', () => api.close())
    const urls = { control: `http://${api.host}:${api.port}` }
    await writeRuntimeFile(directory, { urls, controlToken: token })
    lifecycle.onStop('runtime file', () => removeRuntimeFile(directory))
    log.info({ port: api.port }, 'the node is ready')
    return { urls, stopped: lifecycle.stopped, stop: () => lifecycle.stop() }
  })
}

async function connect(
  directory: string,
  config: OrganisationConfig,
  lifecycle: Lifecycle,
  log: Logger,
): Promise<HubConnection> {
  const { federation } = config
  const urls = config.hub.urls
  const authority = await readNodeFile(directory, 'tls/authority.pem')
  const held = { ...(await readKeyed(directory, 'organisation')), authority }
  const material = isDue(held.certificate, systemClock.now()) ? await renewed(directory, config, held, log) : held
  const connection = createHubClient({ urls, tls: { federation, material } })
  lifecycle.onStop('connection', async () => connection.close())
  return connection
}

/** A hub that does not answer now is asked again at the next start: there are three months for it. */
async function renewed(
  directory: string,
  { hub, federation }: OrganisationConfig,
  held: TlsMaterial,
  log: Logger,
): Promise<TlsMaterial> {
  try {
    const fresh = await renewAtHub(hub.urls, federation, held)
    await writeKeyed(directory, 'organisation', fresh)
    return { ...fresh, authority: held.authority }
  } catch (error) {
    log.warn({ err: error }, 'the TLS certificate is due and could not be renewed')
    return held
  }
}

/** Kinds of log trained on. A node without data still keeps the ledger, and declines rounds. */
async function prepareData(
  directory: string,
  config: OrganisationConfig,
  onIngest?: (rows: number) => void,
): Promise<readonly string[]> {
  if (config.data.paths.length === 0) return []
  const { info } = await ensureDataset(directory, config, onIngest)
  return [...new Set(info.sources.map(({ format }) => format))].sort()
}

function poll(node: OrganisationNode, lifecycle: Lifecycle): void {
  const ending = new AbortController()
  const polling = node.run(ending.signal)
  lifecycle.onStop('poll', () => {
    ending.abort()
    return polling
  })
}

/** Ends early, without an error, when the signal aborts. */
async function sleep(ms: number, signal: AbortSignal): Promise<void> {
  await wait(ms, undefined, { signal }).catch(() => undefined)
}
