/** A private database cluster on disk: made once, as a whole or not at all. */

import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, chown, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { EntenteError } from '../../base/errors.ts'
import { replaceFile, syncDirectory } from '../replace-file.ts'
import { type Account, openWay, serverAccount } from './account.ts'
import { type Binaries, findBinaries } from './binaries.ts'

export const SUPERUSER = 'entente'

export interface Cluster {
  /** Holds `data`, `password`, `owner`, `port` and `postgres.log`. */
  readonly directory: string
  readonly data: string
  readonly password: string
  readonly account: Account | undefined
  readonly binaries: Binaries
}

/** Opens the cluster in `directory`, making it first if it is not there. Call it as the owner of the directory only. */
export async function openCluster(directory: string, onProgress: (message: string) => void): Promise<Cluster> {
  const account = await serverAccount()
  await mkdir(directory, { recursive: true, mode: 0o711 })
  if (account) await openWay(directory, account)
  const cluster = {
    directory,
    data: join(directory, 'data'),
    password: await clusterPassword(directory),
    account,
    binaries: await findBinaries(account),
  }
  await removeHalfMade(directory)
  if (!(await exists(cluster))) {
    onProgress('creating the private database (once, about a second)')
    await initialise(cluster)
  }
  return cluster
}

async function exists({ data }: Cluster): Promise<boolean> {
  return readFile(join(data, 'PG_VERSION')).then(
    () => true,
    () => false,
  )
}

export async function clusterPassword(directory: string): Promise<string> {
  const path = join(directory, 'password')
  const found = await readFile(path, 'utf8').catch(() => undefined)
  if (found !== undefined) return found.trim()
  const password = randomBytes(24).toString('base64url')
  await replaceFile(path, `${password}\n`, 0o600)
  return password
}

const HALF_MADE = 'data.new-'

async function removeHalfMade(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (name.startsWith(HALF_MADE)) await rm(join(directory, name), { recursive: true, force: true })
  }
}

/** A kill in the middle leaves a directory under another name, which the next start removes. */
async function initialise(cluster: Cluster): Promise<void> {
  const fresh = join(cluster.directory, `${HALF_MADE}${randomBytes(6).toString('hex')}`)
  const passwordFile = `${fresh}.password`
  await mkdir(fresh, { mode: 0o700 })
  await writeFile(passwordFile, `${cluster.password}\n`, { mode: 0o600 })
  if (cluster.account)
    for (const path of [fresh, passwordFile]) await chown(path, cluster.account.uid, cluster.account.gid)
  try {
    await runInitdb(cluster, fresh, passwordFile)
    await rename(fresh, cluster.data)
    await syncDirectory(cluster.directory)
    await chmod(cluster.data, 0o700)
  } finally {
    await rm(passwordFile, { force: true })
    await rm(fresh, { recursive: true, force: true })
  }
}

function runInitdb({ binaries, account }: Cluster, data: string, passwordFile: string): Promise<void> {
  const options = [
    '--username',
    SUPERUSER,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--no-instructions',
  ]
  const child = spawn(binaries.initdb, ['-D', data, '--pwfile', passwordFile, ...options], {
    ...account,
    cwd: '/',
    env: serverEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let complaint = ''
  child.stderr.on('data', (chunk) => {
    complaint = `${complaint}${chunk}`.slice(-2000)
  })
  return new Promise((resolve, reject) => {
    child.once('error', (cause) =>
      reject(new EntenteError('not-available', `initdb cannot be started: ${cause.message}`, { cause })),
    )
    child.once('close', (code) => (code === 0 ? resolve() : reject(initdbFailure(complaint))))
  })
}

function initdbFailure(complaint: string): EntenteError {
  const full = /no space left/i.test(complaint)
  return new EntenteError(full ? 'storage-full' : 'internal', `initdb failed: ${complaint.trim()}`)
}

/** Nothing of the node's own environment: PGDATA, PGPORT or a foreign locale would change what the server does. */
export function serverEnvironment(): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }
}

export async function savedPort(directory: string): Promise<number | undefined> {
  const port = Number(await readFile(join(directory, 'port'), 'utf8').catch(() => 'none'))
  return Number.isInteger(port) && port > 0 && port < 65536 ? port : undefined
}

export async function savePort(directory: string, port: number): Promise<void> {
  if (port === (await savedPort(directory))) return
  await replaceFile(join(directory, 'port'), `${port}\n`, 0o600)
}
