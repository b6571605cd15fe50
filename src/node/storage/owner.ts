/** Which process answers for the private server of a directory. A file that a killed owner left behind is taken over. */

import { randomBytes } from 'node:crypto'
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isSameProcess, type ProcessIdentity, processIdentity, processIdentitySchema } from '../process-identity.ts'

const ownerPath = (directory: string) => join(directory, 'owner')

/** True if this process now owns the directory; false if another live process does. */
export async function becomeOwner(directory: string): Promise<boolean> {
  await mkdir(directory, { recursive: true, mode: 0o711 })
  const claim = join(directory, `owner.${randomBytes(6).toString('hex')}`)
  await writeFile(claim, JSON.stringify(await processIdentity(process.pid)), { mode: 0o600 })
  try {
    for (;;) {
      if (await linked(claim, ownerPath(directory))) return true
      const owner = await readOwner(ownerPath(directory))
      if (owner !== undefined && (await isSameProcess(owner))) return false
      await removeDead(directory)
    }
  } finally {
    await rm(claim, { force: true })
  }
}

export async function giveUp(directory: string): Promise<void> {
  const owner = await readOwner(ownerPath(directory))
  if (owner?.pid === process.pid) await rm(ownerPath(directory), { force: true })
}

/** A hard link appears with its content, and only if the name is free: claim and content in one step. */
async function linked(claim: string, path: string): Promise<boolean> {
  return link(claim, path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false
      throw error
    },
  )
}

/** Two processes may see the same dead owner: the file is moved aside and looked at again before it goes. */
async function removeDead(directory: string): Promise<void> {
  const aside = join(directory, `owner.${randomBytes(6).toString('hex')}`)
  const moved = await rename(ownerPath(directory), aside).then(
    () => true,
    () => false,
  )
  if (!moved) return
  const owner = await readOwner(aside)
  if (owner !== undefined && (await isSameProcess(owner))) await linked(aside, ownerPath(directory))
  await rm(aside, { force: true })
}

async function readOwner(path: string): Promise<ProcessIdentity | undefined> {
  const text = await readFile(path, 'utf8').catch(() => undefined)
  if (text === undefined) return undefined
  try {
    return processIdentitySchema.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}
