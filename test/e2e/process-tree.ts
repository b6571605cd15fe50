/** Processes below a process, by /proc (Linux). */

import { readdir, readFile } from 'node:fs/promises'

/** Ids of all descendants of a process, itself not among them. */
export async function descendantsOf(root: number): Promise<number[]> {
  const parents = await parentOfEach()
  const found = [root]
  for (const pid of found) for (const [child, parent] of parents) if (parent === pid) found.push(child)
  return found.slice(1)
}

async function parentOfEach(): Promise<ReadonlyMap<number, number>> {
  const pids = (await readdir('/proc')).map(Number).filter(Number.isInteger)
  const entries = await Promise.all(
    pids.map(async (pid) => {
      const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')
      return [pid, Number(/^PPid:\s+(\d+)/m.exec(status)?.[1] ?? -1)] as const
    }),
  )
  return new Map(entries)
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
