/** A hub process. Several of them may run over one database and one directory: they are one hub. */

import { mkdir } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { fail } from '../../base/errors.ts'
import { readConfig } from '../config.ts'
import { createHub } from '../hub.ts'
import { loadKernels } from '../kernels.ts'
import { createLogger } from '../logging.ts'
import { removeRuntimeFile, writeRuntimeFile } from '../runtime-file.ts'
import type { Listen, ServeHub } from '../serving.ts'
import { openLater } from './encryption.ts'
import { readKeyed, readSecret } from './files.ts'
import { createLifecycle, type RunningNode, starting } from './lifecycle.ts'
import { openPorts } from './ports.ts'
import { currentCertificate } from './renew.ts'

/** Beyond, one thread reads no faster than the others compute. */
const AGGREGATION_THREADS_MAX = 4

export interface HubStart {
  /** `serveHub` of apps/api. */
  readonly serve: ServeHub
  /** In place of `listen` in the configuration: for a second process over the same directory. */
  readonly listen?: Listen
  /** Where runtime.json goes; default: the node's directory. A second process needs another. */
  readonly runtimeDirectory?: string
}

/** Resolves when the hub answers. @throws config-invalid, unavailable */
export async function startHub(
  directory: string,
  { serve, listen, runtimeDirectory = directory }: HubStart,
): Promise<RunningNode> {
  const config = await readConfig(directory)
  if (config.role !== 'hub') fail('config-invalid', `${directory} is the directory of an organisation, not of a hub`)
  const { federation } = config
  const log = createLogger({ level: config.logLevel, fields: { role: 'hub', federation } })
  const lifecycle = createLifecycle(log)
  return starting(lifecycle, async () => {
    const authority = await readKeyed(directory, 'authority')
    const hosts = ['localhost', '127.0.0.1', config.listen.host]
    const shown = await currentCertificate(directory, 'hub', authority, { federation, peer: { role: 'hub' }, hosts })
    const tls = { ...shown, authority: authority.certificate }
    await currentCertificate(directory, 'operator', authority, { federation, peer: { role: 'operator' } })
    const identity = {
      federation,
      secret: await readSecret(directory, 'envelope'),
      ledgerSecret: await readSecret(directory, 'ledger'),
    }
    const ports = await openPorts(directory, config, lifecycle, log)
    const hub = createHub(ports, identity, {
      kernels: loadKernels(),
      log,
      aggregationThreads: config.aggregationThreads ?? Math.min(availableParallelism(), AGGREGATION_THREADS_MAX),
      ...openLater(config.encryption, lifecycle),
    })
    await hub.start()
    lifecycle.onStop('jobs', () => hub.stop())
    const api = await serve(hub, { listen: listen ?? config.listen, tls, authority, log })
    lifecycle.onStop('server', () => api.close())
    const urls = { api: `https://${api.host}:${api.port}` }
    await mkdir(runtimeDirectory, { recursive: true })
    await writeRuntimeFile(runtimeDirectory, { urls, controlToken: '' })
    lifecycle.onStop('runtime file', () => removeRuntimeFile(runtimeDirectory))
    log.info({ port: api.port }, 'the hub is ready')
    return { urls, stopped: lifecycle.stopped, stop: () => lifecycle.stop() }
  })
}
