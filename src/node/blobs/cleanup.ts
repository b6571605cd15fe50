/** What killed processes and vanished peers leave in `partial/`. */

import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isSameProcess, processIdentity } from '../process-identity.ts'

/** Name of a process in file names: `pid-startTicks`. */
export async function ownerOf(pid: number): Promise<string> {
  const { startTicks } = await processIdentity(pid)
  return `${pid}-${startTicks}`
}

export async function ownerLives(owner: string): Promise<boolean> {
  const [, pid, startTicks] = /^(\d+)-(\d*)$/.exec(owner) ?? []
  return pid !== undefined && startTicks !== undefined && isSameProcess({ pid: Number(pid), startTicks })
}

/** Removes files of dead writers at once, and uploads and locks that nobody touched for `staleAfterMs`. */
export async function removeStale(directory: string, staleAfterMs: number): Promise<void> {
  for (const name of await readdir(directory)) {
    const path = join(directory, name)
    const orphaned = name.endsWith('.new') && !(await ownerLives(name.split('.')[0] ?? ''))
    if (orphaned || (await isOlder(path, staleAfterMs))) await rm(path, { force: true })
  }
}

async function isOlder(path: string, ageMs: number): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return found !== undefined && Date.now() - found.mtimeMs > ageMs
}
