/** A blob whose digest is known only at its end: aggregates, models, what ingest makes. */

import { createHash, randomBytes } from 'node:crypto'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fail } from '../../base/errors.ts'
import type { Digest } from '../../base/ids.ts'
import type { BlobWriter } from '../ports.ts'
import { diskError, publish, writeFully } from './disk.ts'
import type { BlobPaths } from './files.ts'

export async function createWriter(paths: BlobPaths, owner: string, sizeMax: number): Promise<BlobWriter> {
  const path = join(paths.partial, `${owner}.${randomBytes(8).toString('hex')}.new`)
  const file = await open(path, 'wx+', 0o600).catch((error: unknown) => Promise.reject(diskError(error)))
  const hash = createHash('sha256')
  let size = 0
  let isOpen = true

  async function abort(): Promise<void> {
    if (!isOpen) return
    isOpen = false
    await file.close().catch(() => undefined)
    await rm(path, { force: true })
  }

  /** After any failure nothing is left: there is nobody who could go on with it. */
  async function orAbort<T>(work: () => Promise<T>): Promise<T> {
    if (!isOpen) fail('internal', 'the blob writer is closed')
    try {
      return await work()
    } catch (error) {
      await abort()
      throw diskError(error)
    }
  }

  return {
    abort,
    write: (chunk) =>
      orAbort(async () => {
        if (size + chunk.length > sizeMax) fail('body-too-large', `a blob has at most ${sizeMax} bytes`, { sizeMax })
        hash.update(chunk)
        await writeFully(file, chunk, size)
        size += chunk.length
      }),
    commit: (expected) =>
      orAbort(async () => {
        const digest = hash.digest('hex') as Digest
        if (expected !== undefined && expected !== digest)
          fail('digest-mismatch', 'the bytes written are not those of the digest', { expected, digest })
        await file.sync()
        await publish(paths, path, digest)
        isOpen = false
        await file.close()
        return { digest, size }
      }),
  }
}
