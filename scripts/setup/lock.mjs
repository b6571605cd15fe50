/**
 * One set-up at a time in a clone. The lock is a file that names its holder; a holder that died is recognised by its
 * process id and its lock is taken away by exactly one of those who wait.
 */

import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

const WAIT_MS_MAX = 15 * 60_000
const POLL_MS = 100

/**
 * Runs `work` while holding the lock of the clone at `root`.
 * @template T
 * @param {string} root @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(root, work) {
  const directory = join(root, '.entente')
  mkdirSync(directory, { recursive: true })
  const path = join(directory, 'setup.lock')
  const mine = `${process.pid} ${randomUUID()}`
  await acquire(path, mine)
  try {
    return await work()
  } finally {
    rmSync(path, { force: true })
  }
}

/** @param {string} path @param {string} mine */
async function acquire(path, mine) {
  const since = Date.now()
  for (let announced = false; !create(path, mine); ) {
    const holder = read(path)
    if (holder !== undefined && isDead(holder)) takeAway(path, holder)
    else {
      if (!announced) console.log('setup: another set-up of this clone is running; waiting for it')
      announced = true
      if (Date.now() - since > WAIT_MS_MAX)
        throw new Error(`waited too long; remove ${path} if no other set-up is running`)
      await delay(POLL_MS)
    }
  }
}

/**
 * Removes the lock of a dead holder. The marker is named after that very lock, so only one process gets to remove it,
 * and it looks again: another may have removed it, and a third locked anew, since `holder` was read.
 * @param {string} path @param {string} holder
 */
function takeAway(path, holder) {
  const marker = `${path}.${holder.split(' ')[1] ?? 'unnamed'}`
  if (!create(marker, holder)) return
  if (read(path) === holder) rmSync(path, { force: true })
  rmSync(marker, { force: true })
}

/** @param {string} path @param {string} content @returns {boolean} */
function create(path, content) {
  try {
    writeFileSync(path, content, { flag: 'wx' })
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

/** @param {string} path @returns {string | undefined} */
function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** @param {string} holder */
function isDead(holder) {
  const pid = Number(holder.split(' ')[0])
  // A lock is created and filled in two system calls; an empty one is being written.
  if (!Number.isInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return codeOf(error) === 'ESRCH'
  }
}

/** @param {unknown} error */
function codeOf(error) {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
