/** Writing to a disk that may be full, or go away. */

import { createHash, type Hash } from 'node:crypto'
import { mkdir, open, rename, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { EntenteError } from '../../base/errors.ts'
import type { Digest } from '../../base/ids.ts'
import { syncDirectory } from '../replace-file.ts'
import type { BlobPaths } from './files.ts'

const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG'])

/** @throws storage-full, unavailable (the disk reports an error) */
export function diskError(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  if (error instanceof EntenteError || code === undefined) return error
  if (FULL.has(code))
    return new EntenteError('storage-full', 'the disk is full', { cause: error, details: { errno: code } })
  if (code === 'EIO' || code === 'EROFS' || code === 'EMFILE' || code === 'ENFILE')
    return new EntenteError('unavailable', `the disk does not take it: ${message}`, { cause: error })
  return error
}

/** Writes all of `chunk` at `position`. */
export async function writeFully(file: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < chunk.length; ) {
    const { bytesWritten } = await file.write(chunk, done, chunk.length - done, position + done)
    done += bytesWritten
  }
}

const READ_BYTES = 1 << 20

/** Hash of the first `length` bytes of a file. */
export async function hashPrefix(file: FileHandle, length: number): Promise<Hash> {
  const hash = createHash('sha256')
  const buffer = new Uint8Array(Math.min(READ_BYTES, length))
  for (let at = 0; at < length; ) {
    const { bytesRead } = await file.read(buffer, 0, Math.min(buffer.length, length - at), at)
    if (bytesRead === 0) break
    hash.update(buffer.subarray(0, bytesRead))
    at += bytesRead
  }
  return hash
}

/** Gives a complete, fsynced file its final name, durably. */
export async function publish(paths: BlobPaths, from: string, digest: Digest): Promise<void> {
  const shard = paths.shard(digest)
  if (await mkdir(shard, { recursive: true })) await syncDirectory(dirname(shard))
  await rename(from, paths.blob(digest))
  await syncDirectory(shard)
}

/** Opens for reading and writing, making the file if need be. */
export async function openPartial(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r+')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return open(path, 'wx+', 0o600)
  }
}
