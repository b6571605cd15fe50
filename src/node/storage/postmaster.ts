/** One run of the server program over a cluster: start, wait until it answers, watch, stop. Always by process id. */

import { spawn } from 'node:child_process'
import { open, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { fail } from '../../base/errors.ts'
import { isAlive } from '../process-identity.ts'
import { type Cluster, SUPERUSER, serverEnvironment } from './cluster.ts'

export interface Postmaster {
  readonly pid: number
  readonly port: number
  /** Resolves when the process has ended, whatever ended it. */
  readonly exited: Promise<void>
  /** From now on the exit keeps this process alive: for whoever waits for it with nothing else to do. */
  hold(): void
}

/**
 * A node has few connections and little memory to spare: 2 MB of buffers (its data fit into the system's cache, and
 * each connection maps the buffers that it touched), no parallel workers, no I/O workers, no
 * replication. What durability rests on (fsync, synchronous_commit, full_page_writes) stays at its safe default.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: '150',
  shared_buffers: '2MB',
  work_mem: '4MB',
  maintenance_work_mem: '16MB',
  max_wal_size: '256MB',
  wal_level: 'minimal',
  max_wal_senders: '0',
  max_worker_processes: '0',
  max_parallel_workers: '0',
  max_logical_replication_workers: '0',
  autovacuum_max_workers: '1',
  io_method: 'sync',
  jit: 'off',
  huge_pages: 'off',
  deadlock_timeout: '200ms',
  log_min_messages: 'warning',
  log_checkpoints: 'off',
  log_min_error_statement: 'panic',
  timezone: 'UTC',
}

const READY_MS_MAX = 60_000

/** Starts the server; undefined if it ended before it was ready, for instance because the port is taken. */
export async function startPostmaster(cluster: Cluster, port: number): Promise<Postmaster | undefined> {
  await untilReaped(cluster)
  const options = Object.entries(SETTINGS).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const log = await open(join(cluster.directory, 'postgres.log'), 'a', 0o600)
  // A session of its own: Ctrl-C in a terminal must reach the node, which then stops its database last.
  const child = spawn(cluster.binaries.postgres, ['-D', cluster.data, '-p', String(port), ...options], {
    ...cluster.account,
    cwd: '/',
    env: serverEnvironment(),
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  })
  const exited = new Promise<void>((resolve) => {
    child.once('error', () => resolve())
    child.once('exit', () => resolve())
  })
  await log.close()
  if (child.pid === undefined)
    fail('not-available', `the private Postgres cannot be started from ${cluster.binaries.postgres}`)
  child.unref()
  const ready = await Promise.race([exited.then(() => false), untilReady(cluster, port, child.pid)])
  return ready ? { pid: child.pid, port, exited, hold: () => child.ref() } : undefined
}

const REAPED_MS_MAX = 10_000

/**
 * Waits for the entry of a killed server to leave the process table. Until its parent has collected it, Postgres takes it
 * for a server that runs and refuses to start; trying on would end on another port than the one that others know. Where
 * nobody collects it (a container without an init process) the file that names it goes: it is dead, and the memory that
 * its children may still share is found by the directory.
 */
async function untilReaped(cluster: Cluster): Promise<void> {
  const file = await readPidFile(cluster.data)
  if (file === undefined || isAlive(file.pid)) return
  for (const end = Date.now() + REAPED_MS_MAX; Date.now() < end && isInTable(file.pid); ) await sleep(20)
  if (isInTable(file.pid)) await rm(join(cluster.data, 'postmaster.pid'), { force: true })
}

function isInTable(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function untilReady(cluster: Cluster, port: number, pid: number): Promise<boolean> {
  for (const end = Date.now() + READY_MS_MAX; Date.now() < end; await sleep(20)) {
    const file = await readPidFile(cluster.data)
    if (file?.pid === pid && file.ready && (await serves(cluster, port))) return true
    if (!isAlive(pid)) return false
  }
  await endProcess(pid)
  return false
}

/**
 * The server that a killed node left behind over this very cluster, still running; undefined if there is none. A stale
 * pid file whose number now belongs to a stranger is removed: Postgres would refuse to start because of it.
 */
export async function findOrphan(cluster: Cluster): Promise<Postmaster | undefined> {
  for (const end = Date.now() + READY_MS_MAX; ; await sleep(50)) {
    const file = await readPidFile(cluster.data)
    if (file === undefined || !isAlive(file.pid)) return undefined
    if (await serves(cluster, file.port)) return orphan(file)
    if (!(await runsOver(cluster, file.pid))) {
      await rm(join(cluster.data, 'postmaster.pid'), { force: true })
      return undefined
    }
    if (Date.now() > end) await endProcess(file.pid)
  }
}

async function runsOver(cluster: Cluster, pid: number): Promise<boolean> {
  if (process.platform !== 'linux') return true
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
  return command.split('\0').includes(cluster.data)
}

/** Not our child, so there is no exit event to wait for. */
function orphan({ pid, port }: PidFile): Postmaster {
  const held = Promise.withResolvers<void>()
  async function watch(): Promise<void> {
    while (isAlive(pid)) await sleep(200, undefined, { ref: false })
  }
  async function watchHeld(): Promise<void> {
    await held.promise
    while (isAlive(pid)) await sleep(50)
  }
  return { pid, port, exited: Promise.race([watch(), watchHeld()]), hold: held.resolve }
}

interface PidFile {
  readonly pid: number
  readonly port: number
  readonly ready: boolean
}

/** Lines of postmaster.pid: pid, data directory, start time, port, socket directory, address, memory key, status. */
export async function readPidFile(data: string): Promise<PidFile | undefined> {
  const lines = (await readFile(join(data, 'postmaster.pid'), 'utf8').catch(() => '')).split('\n')
  const pid = Number(lines[0])
  if (!Number.isInteger(pid) || pid <= 0) return undefined
  return { pid, port: Number(lines[3]), ready: lines[7]?.trim() === 'ready' }
}

/** True if what listens on the port knows the password and has this cluster's directory. */
async function serves(cluster: Cluster, port: number): Promise<boolean> {
  const client = new pg.Client({ connectionString: serverUrl(cluster.password, port), connectionTimeoutMillis: 3000 })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rows } = await client.query<{ data: string }>(`select current_setting('data_directory') as data`)
    return rows[0]?.data === cluster.data
  } catch {
    return false
  } finally {
    await client.end().catch(() => undefined)
  }
}

export function serverUrl(password: string, port: number): string {
  return `postgres://${SUPERUSER}:${encodeURIComponent(password)}@127.0.0.1:${port}/postgres`
}

/** Fast shutdown (SIGINT), then immediate (SIGQUIT), then nothing gentler is left. */
export async function endProcess(pid: number): Promise<void> {
  for (const [signal, patienceMs] of [
    ['SIGINT', 15_000],
    ['SIGQUIT', 5000],
    ['SIGKILL', 5000],
  ] as const) {
    if (!isAlive(pid)) return
    signalProcess(pid, signal)
    for (const end = Date.now() + patienceMs; Date.now() < end && isAlive(pid); ) await sleep(10)
  }
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It ended between the question and the signal.
  }
}
