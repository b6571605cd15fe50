/** Resumable uploads. The length of the partial file is the offset; what was hashed so far is remembered while it fits. */

import type { Hash } from 'node:crypto'
import { rm, stat, type FileHandle } from 'node:fs/promises'
import { fail } from '../../base/errors.ts'
import type { Digest } from '../../base/ids.ts'
import { diskError, hashPrefix, openPartial, publish, writeFully } from './disk.ts'
import { type BlobPaths, unlessMissing } from './files.ts'
import { createUploadLocks } from './upload-lock.ts'

export interface Uploads {
  offset(digest: Digest): Promise<number>
  chunk(
    digest: Digest,
    size: number,
    offset: number,
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<{ offset: number; complete: boolean }>
}

/** Hash of the first `length` bytes of the file with this inode. */
interface Progress {
  readonly inode: number
  readonly modifiedMs: number
  readonly length: number
  readonly hash: Hash
}

/** Hash states kept in memory; of others the file is read again. */
const PROGRESS_MAX = 256

export function createUploads(
  paths: BlobPaths,
  owner: string,
  sizeMax: number,
  sizeOf: (digest: Digest) => Promise<number | undefined>,
): Uploads {
  const exclusively = createUploadLocks(owner)
  const remembered = new Map<Digest, Progress>()

  async function offset(digest: Digest): Promise<number> {
    const complete = await sizeOf(digest)
    return complete ?? (await stat(paths.upload(digest)).catch(unlessMissing))?.size ?? 0
  }

  /** The hash of what is in the file, from memory if nobody else touched the file since. */
  async function hashSoFar(digest: Digest, file: FileHandle): Promise<Hash> {
    const { ino, size, mtimeMs } = await file.stat()
    const known = remembered.get(digest)
    remembered.delete(digest)
    if (known && known.inode === ino && known.length === size && known.modifiedMs === mtimeMs) return known.hash
    return hashPrefix(file, size)
  }

  async function remember(digest: Digest, file: FileHandle, hash: Hash): Promise<void> {
    const { ino, size, mtimeMs } = await file.stat()
    if (remembered.size >= PROGRESS_MAX) remembered.delete(remembered.keys().next().value as Digest)
    remembered.set(digest, { inode: ino, modifiedMs: mtimeMs, length: size, hash })
  }

  async function receive(
    digest: Digest,
    size: number,
    from: number,
    chunks: AsyncIterable<Uint8Array>,
  ): Promise<{ offset: number; complete: boolean }> {
    const complete = await sizeOf(digest)
    if (complete !== undefined) return { offset: complete, complete: true }
    const path = paths.upload(digest)
    const file = await openPartial(path)
    try {
      const length = (await file.stat()).size
      if (from !== length) {
        if (length === 0) await rm(path, { force: true })
        fail('offset-mismatch', `the upload goes on at ${length}`, { offset: length })
      }
      const hash = await hashSoFar(digest, file)
      const end = await append(file, hash, from, size, chunks)
      if (end < size) {
        await remember(digest, file, hash)
        return { offset: end, complete: false }
      }
      await finish(digest, hash, path)
      return { offset: end, complete: true }
    } finally {
      await file.close()
    }
  }

  async function finish(digest: Digest, hash: Hash, path: string): Promise<void> {
    if (hash.digest('hex') !== digest) {
      await rm(path, { force: true })
      fail('digest-mismatch', 'the bytes received are not those of the digest; the upload was removed', { digest })
    }
    await publish(paths, path, digest)
  }

  return {
    offset,
    async chunk(digest, size, from, chunks) {
      if (!Number.isSafeInteger(size) || size < 0 || !Number.isSafeInteger(from) || from < 0)
        fail('invalid-request', 'size and offset are whole numbers of bytes')
      if (size > sizeMax) fail('body-too-large', `a blob has at most ${sizeMax} bytes`, { sizeMax })
      if (from > size) fail('body-too-large', 'the offset lies beyond the announced size', { size })
      try {
        return await exclusively(paths.upload(digest), () => receive(digest, size, from, chunks))
      } catch (error) {
        throw diskError(error)
      }
    },
  }
}

/**
 * Appends what arrives, and makes it durable. What arrived before the connection broke is kept; of a write that failed, or
 * of bytes beyond the announced size, the file is cut back to what is whole.
 */
async function append(
  file: FileHandle,
  hash: Hash,
  from: number,
  size: number,
  chunks: AsyncIterable<Uint8Array>,
): Promise<number> {
  let end = from
  try {
    for await (const chunk of chunks) {
      if (end + chunk.length > size) {
        end = from
        fail('body-too-large', `more bytes arrived than the ${size} announced`, { size })
      }
      await writeFully(file, chunk, end)
      hash.update(chunk)
      end += chunk.length
    }
    await file.sync()
  } catch (error) {
    await keepWhole(file, from, end)
    throw error
  }
  return end
}

/** If not even that can be made durable, only what was durable before counts. */
async function keepWhole(file: FileHandle, from: number, end: number): Promise<void> {
  await file.truncate(end)
  await file.sync().catch(() => file.truncate(from))
}
