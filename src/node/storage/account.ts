/** Whom Postgres runs as. It refuses to be root, so a node started by root gives its private server another user. */

import { execFile } from 'node:child_process'
import { chmod, lstat, readFile, realpath } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, sep } from 'node:path'
import { promisify } from 'node:util'
import { fail } from '../../base/errors.ts'

export interface Account {
  readonly uid: number
  readonly gid: number
}

const NAME = 'postgres'

/** The account for the private server; undefined = the one of this process. */
export async function serverAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined
  return (await lookUp()) ?? (await create())
}

async function lookUp(): Promise<Account | undefined> {
  const users = await readFile('/etc/passwd', 'utf8').catch(() => '')
  const line = users.split('\n').find((candidate) => candidate.startsWith(`${NAME}:`))
  const [, , uid, gid] = line?.split(':') ?? []
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) }
}

async function create(): Promise<Account> {
  const options = ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', NAME]
  const failure = await promisify(execFile)('useradd', options).then(
    () => undefined,
    (error: unknown) => error,
  )
  // Two nodes that start at once may both try; the loser finds the winner's account.
  return (
    (await lookUp()) ??
    fail(
      'config-invalid',
      `Postgres does not run as root, and the user "${NAME}" could not be created (${String(failure)}): create it, start the node as an ordinary user, or set DATABASE_URL`,
    )
  )
}

/** The first directory on the way to `path` that the account cannot enter. */
export async function unreachable(path: string, account: Account): Promise<string | undefined> {
  for (const directory of waysTo(await realpath(path))) {
    if (!(await canEnter(directory, account))) return directory
  }
  return undefined
}

/**
 * Lets the account pass through (not list) the directories above `path` that are this program's own: the node's directory
 * and whatever lies below the temporary directory. Others are the administrator's to change, so they are named instead.
 */
export async function openWay(path: string, account: Account): Promise<void> {
  const real = await realpath(path)
  const temporary = await realpath(tmpdir())
  for (const directory of waysTo(real)) {
    if (await canEnter(directory, account)) continue
    const own = directory === real || directory === dirname(real) || directory.startsWith(`${temporary}${sep}`)
    if (!own)
      fail(
        'config-invalid',
        `Postgres does not run as root, and its user "${NAME}" cannot enter ${directory}: put the node's directory elsewhere, allow it (chmod o+x ${directory}), start the node as an ordinary user, or set DATABASE_URL`,
        { directory },
      )
    await chmod(directory, ((await lstat(directory)).mode & 0o7777) | 0o001)
  }
}

function waysTo(path: string): string[] {
  const parent = dirname(path)
  return parent === path ? [path] : [...waysTo(parent), path]
}

async function canEnter(directory: string, { uid, gid }: Account): Promise<boolean> {
  const { mode, uid: owner, gid: group } = await lstat(directory)
  const bit = owner === uid ? 0o100 : group === gid ? 0o010 : 0o001
  return (mode & bit) !== 0
}
