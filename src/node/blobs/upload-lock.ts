/**
 * One writer per upload, among all processes that share the directory. Inside a process uploads queue; across processes
 * a file names the writer. A file whose writer is dead is taken over.
 */

import { link, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { fail } from '../../base/errors.ts'
import { ownerLives } from './cleanup.ts'

const PATIENCE_MS = 3000

export function createUploadLocks(owner: string): <T>(path: string, work: () => Promise<T>) => Promise<T> {
  const queues = new Map<string, Promise<unknown>>()

  return async (path, work) => {
    const before = queues.get(path) ?? Promise.resolve()
    const mine = before.then(() => exclusively(`${path}.lock`, owner, work))
    const settled = mine.catch(() => undefined)
    queues.set(path, settled)
    try {
      return await mine
    } finally {
      if (queues.get(path) === settled) queues.delete(path)
    }
  }
}

async function exclusively<T>(lock: string, owner: string, work: () => Promise<T>): Promise<T> {
  await acquire(lock, owner)
  try {
    return await work()
  } finally {
    await rm(lock, { force: true })
  }
}

async function acquire(lock: string, owner: string): Promise<void> {
  const claim = `${lock}.${randomBytes(6).toString('hex')}`
  await writeFile(claim, owner)
  try {
    for (const end = Date.now() + PATIENCE_MS; !(await linked(claim, lock)); await sleep(20)) {
      const holder = await readFile(lock, 'utf8').catch(() => undefined)
      if (holder !== undefined && !(await ownerLives(holder))) await removeDead(lock, holder)
      if (Date.now() > end) fail('unavailable', 'another process is receiving this blob at the moment')
    }
  } finally {
    await rm(claim, { force: true })
  }
}

/** A hard link appears with its content, and only if the name is free. */
async function linked(claim: string, lock: string): Promise<boolean> {
  return link(claim, lock).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false
      throw error
    },
  )
}

/** Two processes may see the same dead holder: what was moved aside is looked at again, and put back if it was another. */
async function removeDead(lock: string, holder: string): Promise<void> {
  const aside = `${lock}.${randomBytes(6).toString('hex')}`
  const moved = await rename(lock, aside).then(
    () => true,
    () => false,
  )
  if (!moved) return
  if ((await readFile(aside, 'utf8').catch(() => holder)) !== holder) await linked(aside, lock)
  await rm(aside, { force: true })
}
