/** The real world, in the order in which it is opened: database, jobs, blobs. */

import { join } from 'node:path'
import { openFileBlobs } from '../blobs/files.ts'
import { systemClock } from '../clock.ts'
import type { NodeConfig } from '../config.ts'
import type { Logger } from '../logging.ts'
import type { Ports } from '../ports.ts'
import { systemRandom } from '../random.ts'
import { openDatabase } from '../storage/database.ts'
import { createDatabase, startPrivateServer } from '../storage/embedded.ts'
import { createJobs } from '../storage/jobs.ts'
import { createPostgresStore } from '../storage/postgres.ts'
import type { Lifecycle } from './lifecycle.ts'

const DATABASE = 'entente'
/** An organisation does one thing at a time; every connection is a server process of its own. */
const CONNECTIONS_MAX = { hub: 4, organisation: 2 } as const

export async function openPorts(
  directory: string,
  config: NodeConfig,
  lifecycle: Lifecycle,
  logger: Logger,
): Promise<Ports> {
  const url = config.database?.url ?? (await startDatabase(directory, lifecycle, logger))
  const database = await openDatabase(url, { logger, connectionsMax: CONNECTIONS_MAX[config.role] })
  lifecycle.onStop('database connections', () => database.close())
  const blobs = await openFileBlobs(join(directory, 'blobs'))
  return {
    store: createPostgresStore(database),
    jobs: createJobs(database),
    blobs,
    clock: systemClock,
    random: systemRandom,
  }
}

async function startDatabase(directory: string, lifecycle: Lifecycle, logger: Logger): Promise<string> {
  const server = await startPrivateServer(join(directory, 'pg'), { logger })
  lifecycle.onStop('private database', () => server.stop())
  return createDatabase(server.url, DATABASE)
}
