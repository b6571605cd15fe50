/** A federation of real processes in one directory: a hub, N organisations' nodes, one private database server. */

import { mkdir } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { organisationId } from '../../../src/base/ids.ts'
import { setConfigValue } from '../../../src/node/config-edit.ts'
import { type Operator, openOperator } from '../../../src/node/operator.ts'
import { datasetDirectory } from '../../../src/node/own-data.ts'
import type { SiteFile } from '../../../src/node/split.ts'
import { initHub } from '../../../src/node/start/init-hub.ts'
import { joinFederation } from '../../../src/node/start/join-federation.ts'
import { createDatabase, type PrivateServer, startPrivateServer } from '../../../src/node/storage/embedded.ts'
import { createProcessGroup, type ProcessGroup, type RunningProcess } from './processes.ts'

export const DEMO_FEDERATION = 'demo.entente.example'
const ATTACKER = fileURLToPath(new URL('../../demo-attacker.ts', import.meta.url))

export interface Member {
  readonly id: string
  readonly directory: string
  /** Of the data set that the node has ingested. */
  readonly dataset: string
  readonly databaseUrl: string
}

export interface Federation {
  readonly directory: string
  readonly server: PrivateServer
  readonly hubDirectory: string
  readonly hubDatabaseUrl: string
  readonly members: Member[]
  readonly operator: Operator
  /** Every child process, the short-lived ones too. */
  readonly group: ProcessGroup
  /** Nodes by name: `hub` and the organisations' ids. */
  readonly processes: Map<string, RunningProcess>
  /** Organisations that lie, once they are started. */
  readonly liars: Set<string>
  /** Starts the process of this name, or starts it again after its end. */
  start(name: string): Promise<RunningProcess>
  /** Stops all processes, then the database server. Any number of calls are one. */
  stop(): Promise<void>
}

/** A federation that may be stopped at any time, also while it is still being set up. */
export interface Founding {
  /** Database server and hub run when it resolves; no organisation has joined. */
  readonly ready: Promise<Federation>
  stop(): Promise<void>
}

/** The public parameters of the federation's key; the shares are moved to their owners. */
export const keyFile = (directory: string): string => join(directory, 'key', 'parameters.json')

export function foundFederation(directory: string, onProgress: (message: string) => void): Founding {
  const group = createProcessGroup()
  const processes = new Map<string, RunningProcess>()
  const liars = new Set<string>()
  let server: PrivateServer | undefined
  const starting = startServer(directory, onProgress).then((started) => (server = started))
  let operator: Operator | undefined
  let stopped: Promise<void> | undefined

  async function stopAll(): Promise<void> {
    operator?.close()
    const organisations = [...processes.values()].filter(({ name }) => name !== 'hub')
    await Promise.all(organisations.map((each) => each.stop()))
    await group.stop()
    await (await starting.catch(() => undefined))?.stop()
    process.off('exit', abandon)
  }
  /** Whoever exits without stopping, for instance at a second Ctrl-C, leaves no process either. */
  function abandon(): void {
    group.killNow()
    const pid = server?.pid()
    try {
      if (pid !== undefined) process.kill(pid, 'SIGQUIT')
    } catch {
      // It was about to be restarted.
    }
  }
  process.on('exit', abandon)
  const stop = (): Promise<void> => (stopped ??= stopAll())

  async function start(name: string): Promise<RunningProcess> {
    const args = [name === 'hub' ? 'hub' : 'org', 'start', '--json', '--dir', join(directory, name)]
    const log = join(directory, `${name}.log`)
    const started = liars.has(name)
      ? await group.start(name, [join(directory, name)], log, ATTACKER)
      : await group.start(name, args, log)
    processes.set(name, started)
    return started
  }

  async function found(): Promise<Federation> {
    const { url } = await starting
    const hubDirectory = join(directory, 'hub')
    const hubDatabaseUrl = await createDatabase(url, 'hub')
    await initHub(hubDirectory, { federation: DEMO_FEDERATION, listen: { host: '127.0.0.1', port: await freePort() } })
    await setConfigValue(hubDirectory, ['database'], { url: hubDatabaseUrl })
    // Dealt later, if the demo is asked for encryption.
    await setConfigValue(hubDirectory, ['encryption'], { parameters: keyFile(directory) })
    await start('hub')
    operator = await openOperator(hubDirectory)
    return {
      directory,
      server: await starting,
      hubDirectory,
      hubDatabaseUrl,
      members: [],
      operator,
      group,
      processes,
      liars,
      start,
      stop,
    }
  }

  const ready = found().catch(async (error: unknown) => {
    await stop()
    throw error
  })
  return { ready, stop }
}

async function startServer(directory: string, onProgress: (message: string) => void): Promise<PrivateServer> {
  await mkdir(directory, { recursive: true })
  return startPrivateServer(join(directory, 'postgres'), { onProgress })
}

/** Invites an organisation, makes its node's directory and joins; the node is not started. `urls`: of several hub processes. */
export async function addMember(
  federation: Federation,
  site: SiteFile,
  trainUntil: number,
  urls?: readonly string[],
): Promise<Member> {
  const id = organisationId(site.name)
  const directory = join(federation.directory, id)
  const { invitation } = await federation.operator.invite({ organisation: id, ...(urls === undefined ? {} : { urls }) })
  const data = { paths: [site.path], localNetworks: [...site.localNetworks], trainUntil }
  await joinFederation(directory, invitation, { organisation: id, data })
  const databaseUrl = await createDatabase(federation.server.url, `org-${id}`)
  await setConfigValue(directory, ['database'], { url: databaseUrl })
  const member = { id, directory, dataset: datasetDirectory(directory), databaseUrl }
  federation.members.push(member)
  return member
}

/** Has each organisation ingest its log in a process of its own, two at a time: as many as the smallest machine has cores. */
export async function ingestAll({ group, members }: Federation, onIngested: (member: Member) => void): Promise<void> {
  const waiting = [...members]
  async function worker(): Promise<void> {
    for (let member = waiting.shift(); member !== undefined; member = waiting.shift()) {
      await group.runJson(['org', 'ingest', '--json', '--dir', member.directory])
      onIngested(member)
    }
  }
  await Promise.all([worker(), worker()])
}

/** An address that is free now; the hub keeps it over restarts, since organisations know the hub by it. */
export function freePort(): Promise<number> {
  const probe = createServer()
  return new Promise((resolve, reject) => {
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() =>
        typeof address === 'object' && address !== null ? resolve(address.port) : reject(new Error('no port')),
      )
    })
  })
}
