/** An organisation's process: its data, its connection to the hub, its control interface on loopback. */

import { setTimeout as wait } from 'node:timers/promises'
import { toBase64Url } from '../../base/bytes.ts'
import { fail } from '../../base/errors.ts'
import { type OrganisationConfig, readConfig } from '../config.ts'
import { loadKernels } from '../kernels.ts'
import { createLogger } from '../logging.ts'
import { createOrganisation, type OrganisationNode } from '../organisation.ts'
import { datasetDirectory, ensureDataset } from '../own-data.ts'
import type { HubConnection } from '../ports.ts'
import { systemRandom } from '../random.ts'
import { removeRuntimeFile, writeRuntimeFile } from '../runtime-file.ts'
import type { ServeControl } from '../serving.ts'
import { createTrainer } from '../trainer.ts'
import { createHubClient } from '../transport/client.ts'
import { readKeyed, readNodeFile, readSecret } from './files.ts'
import { createLifecycle, type Lifecycle, type RunningNode, starting } from './lifecycle.ts'
import { readMembership } from './membership.ts'
import { openPorts } from './ports.ts'

export interface OrganisationStart {
  /** `serveControl` of apps/api. */
  readonly serve: ServeControl
  /** Rows ingested so far, while a new data set is made. */
  readonly onIngest?: (rows: number) => void
}

/** Resolves when the node is connected to its database, has its data set and answers commands. @throws config-invalid */
export async function startOrganisation(
  directory: string,
  { serve, onIngest }: OrganisationStart,
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
    })
    lifecycle.onStop('trainer', () => trainer.close())
    const connection = await connect(directory, config, lifecycle)
    const dataSources = await prepareData(directory, config, onIngest)
    const node = createOrganisation(
      { ...ports, connection, trainer, sleep },
      { federation, organisation, secret, hubKey, ledgerKey },
      { kernels: loadKernels(), log, dataSources },
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

async function connect(directory: string, config: OrganisationConfig, lifecycle: Lifecycle): Promise<HubConnection> {
  const authority = await readNodeFile(directory, 'tls/authority.pem')
  const material = { ...(await readKeyed(directory, 'organisation')), authority }
  const connection = createHubClient({ urls: config.hub.urls, tls: { federation: config.federation, material } })
  lifecycle.onStop('connection', async () => connection.close())
  return connection
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
