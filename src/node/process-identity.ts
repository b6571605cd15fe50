/**
 * A process id alone does not name a process: after a crash or a reboot another one may carry it. On Linux the start
 * time (field 22 of /proc/<pid>/stat) tells them apart; elsewhere the id has to do.
 */

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

/** True if some process carries the id, whoever owns it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function startTicks(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The command name, field 2, is in parentheses and may itself contain spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return fields[19] ?? ''
}
