/**
 * The private Postgres of a node that was given no DATABASE_URL: a real server in the node's own directory, on loopback,
 * with a random password. One process owns it: it starts, supervises and stops it. A second process over the same
 * directory (two hubs on one machine) is a guest and leaves it alone.
 *
 * E1 at most one server runs over a cluster; one left behind by a killed owner is taken over, never doubled.
 * E2 if the server dies while its owner lives, it is restarted on the same port, and recovers what was committed.
 * E3 processes are only ever signalled by an id that was checked to be this cluster's.
 */

import { createServer } from 'node:net'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { fail } from '../../base/errors.ts'
import { type Logger, silentLogger } from '../logging.ts'
import { type Cluster, clusterPassword, openCluster, savedPort, savePort } from './cluster.ts'
import { databaseError } from './errors.ts'
import { becomeOwner, giveUp } from './owner.ts'
import { endProcess, findOrphan, type Postmaster, serverUrl, startPostmaster } from './postmaster.ts'

export interface PrivateServer {
  /** Of the maintenance database; see {@link createDatabase} for others. Contains the password. */
  readonly url: string
  readonly port: number
  /** Process id of the server at present; it changes when the server was restarted. Undefined for a guest. */
  pid(): number | undefined
  /** Stops the server if this process owns it. */
  stop(): Promise<void>
}

export interface PrivateServerOptions {
  readonly logger?: Logger
  /** One line at a time for a person who waits. */
  readonly onProgress?: (message: string) => void
}

/** Starts the private server in `directory`, or joins the one that another live process runs there. */
export async function startPrivateServer(path: string, options: PrivateServerOptions = {}): Promise<PrivateServer> {
  // The server's programs run in another working directory.
  const directory = resolve(path)
  const logger = options.logger ?? silentLogger
  if (!(await becomeOwner(directory))) return joinServer(directory)
  try {
    const cluster = await openCluster(directory, options.onProgress ?? (() => undefined))
    const first = (await findOrphan(cluster)) ?? (await startOnFreePort(cluster))
    await savePort(directory, first.port)
    return supervise(cluster, first, logger)
  } catch (error) {
    await giveUp(directory)
    throw error
  }
}

/** Attempts at the last port: what a killed server leaves in memory may be in its way for a moment. */
const LAST_PORT_ATTEMPTS = 10

/** The last port if it is still free, so that addresses given to other processes stay good; else any free one. */
async function startOnFreePort(cluster: Cluster): Promise<Postmaster> {
  const last = await savedPort(cluster.directory)
  for (let attempt = 0; attempt < 2 * LAST_PORT_ATTEMPTS; attempt++) {
    const again = last !== undefined && attempt < LAST_PORT_ATTEMPTS && (await isFree(last))
    const port = again ? last : await freePort()
    const started = await startPostmaster(cluster, port)
    if (started) return started
    await sleep(100)
  }
  fail('unavailable', `the private database in ${cluster.directory} does not start: see postgres.log there`)
}

async function isFree(port: number): Promise<boolean> {
  return listenOnce(port).then(
    () => true,
    () => false,
  )
}

const freePort = (): Promise<number> => listenOnce(0)

/** Binds a port of loopback, 0 for any, and lets it go; the port. */
function listenOnce(wanted: number): Promise<number> {
  const probe = createServer()
  return new Promise((resolve, reject) => {
    probe.once('error', reject)
    probe.listen(wanted, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

function supervise(cluster: Cluster, first: Postmaster, logger: Logger): PrivateServer {
  const stopping = new AbortController()
  let current = first
  const supervision = (async () => {
    for (;;) {
      await current.exited
      if (stopping.signal.aborted) return
      logger.warn({ pid: current.pid, port: current.port }, 'the private database died; restarting it')
      const next = await restart(cluster, current.port, stopping.signal, logger)
      if (next === undefined) return
      current = next
      logger.info({ pid: current.pid, port: current.port }, 'the private database is back')
    }
  })()
  return {
    url: serverUrl(cluster.password, first.port),
    port: first.port,
    pid: () => current.pid,
    async stop() {
      if (stopping.signal.aborted) return
      stopping.abort()
      current.hold()
      await endProcess(current.pid)
      await supervision
      await giveUp(cluster.directory)
    },
  }
}

/** Until it succeeds: the killed server's children may hold its shared memory for a moment, a full disk for longer. */
async function restart(
  cluster: Cluster,
  port: number,
  signal: AbortSignal,
  logger: Logger,
): Promise<Postmaster | undefined> {
  for (let delayMs = 50; !signal.aborted; delayMs = Math.min(delayMs * 1.5, 2000)) {
    const started = await startPostmaster(cluster, port).catch((error: unknown) => {
      logger.error({ err: error, port }, 'the private database cannot be restarted at present')
      return undefined
    })
    if (started && signal.aborted) await endProcess(started.pid)
    else if (started) return started
    await sleep(delayMs)
  }
  return undefined
}

async function joinServer(directory: string): Promise<PrivateServer> {
  for (const end = Date.now() + 60_000; Date.now() < end; await sleep(50)) {
    const port = await savedPort(directory)
    if (port === undefined) continue
    const url = serverUrl(await clusterPassword(directory), port)
    if (await answers(url)) return { url, port, pid: () => undefined, stop: async () => undefined }
  }
  fail('unavailable', `the private database in ${directory} belongs to another process, which does not start it`)
}

async function answers(url: string): Promise<boolean> {
  return withClient(url, async () => true).catch(() => false)
}

/** Makes database `name` on the server if it is not there, and returns its address. */
export async function createDatabase(url: string, name: string): Promise<string> {
  if (!/^[a-z0-9_-]{1,63}$/.test(name))
    fail('invalid-request', `"${name}" cannot name a database: use 1 to 63 of a-z, 0-9, "_" and "-"`)
  for (let attempt = 0; ; attempt++) {
    try {
      await withClient(url, (client) => createIfMissing(client, name))
      break
    } catch (error) {
      // 55006: another database is being copied from the template at this moment.
      if ((error as { code?: string }).code !== '55006' || attempt === 20) throw databaseError(error)
      await sleep(100)
    }
  }
  const address = new URL(url)
  address.pathname = `/${name}`
  return address.href
}

async function createIfMissing(client: pg.Client, name: string): Promise<void> {
  const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [name])
  if (rowCount) return
  await client.query(`create database ${client.escapeIdentifier(name)}`).catch((error: { code?: string }) => {
    // 42P04, 23505: another process was faster.
    if (error.code !== '42P04' && error.code !== '23505') throw error
  })
}

async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end().catch(() => undefined)
  }
}
