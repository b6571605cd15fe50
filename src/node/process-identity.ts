/**
 * A process id alone does not name a process: after a crash or a reboot another one may carry it. On Linux the start
 * time (field 22 of /proc/<pid>/stat) tells them apart; elsewhere the id has to do.
 */

import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { z } from 'zod'

export const processIdentitySchema = z.object({ pid: z.int().positive(), startTicks: z.string() })
export type ProcessIdentity = z.infer<typeof processIdentitySchema>

export async function processIdentity(pid: number): Promise<ProcessIdentity> {
  return { pid, startTicks: await startTicks(pid) }
}

/** True while this very process lives. */
export async function isSameProcess(identity: ProcessIdentity): Promise<boolean> {
  return isAlive(identity.pid) && (await startTicks(identity.pid)) === identity.startTicks
}

/** True if some process carries the id and runs, whoever owns it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  return !isZombie(pid)
}

/** Ended, but not yet collected by its parent; in a container without an init process it stays so for ever. */
function isZombie(pid: number): boolean {
  try {
    return fieldsOf(readFileSync(`/proc/${pid}/stat`, 'utf8'))[0] === 'Z'
  } catch {
    return false
  }
}

async function startTicks(pid: number): Promise<string> {
  return fieldsOf(await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => ''))[19] ?? ''
}

/** Fields from the third on: the second, the command, is in parentheses and may contain spaces and parentheses. */
function fieldsOf(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
}
