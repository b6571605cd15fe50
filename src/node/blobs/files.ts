/**
 * Blobs in files: `<root>/ab/abcdef...` under their SHA-256, beside `<root>/partial/` for what is not complete.
 *
 * B1 a file under its digest has the bytes of that digest: it appears by a rename, after it was hashed and fsynced
 * B2 an offset that was acknowledged survives a crash: the partial file was fsynced before
 * B3 one process at a time writes a partial file, so that nobody can change bytes after they were hashed
 * B4 a full disk changes nothing that is complete, and leaves an upload that can go on
 * B5 what was removed stays removed: its directory was fsynced before the caller heard of it
 */

import { mkdir, open, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fail } from '../../base/errors.ts'
import { type Digest, isDigest } from '../../base/ids.ts'
import type { BlobReader, Blobs } from '../ports.ts'
import { syncDirectory } from '../replace-file.ts'
import { ownerOf, removeStale } from './cleanup.ts'
import { createUploads } from './uploads.ts'
import { createWriter } from './writer.ts'

export interface FileBlobsOptions {
  /** Largest blob taken, in bytes. */
  readonly sizeMax?: number
  /** Uploads that nobody went on with for so long are removed at the next start, in milliseconds. */
  readonly staleAfterMs?: number
}

/** Where things are. */
export interface BlobPaths {
  readonly root: string
  readonly partial: string
  shard(digest: Digest): string
  blob(digest: Digest): string
  upload(digest: Digest): string
}

const DAY_MS = 86_400_000

export async function openFileBlobs(root: string, options: FileBlobsOptions = {}): Promise<Blobs> {
  const { sizeMax = 2 ** 36, staleAfterMs = 3 * DAY_MS } = options
  const paths = blobPaths(root)
  await mkdir(paths.partial, { recursive: true })
  await removeStale(paths.partial, staleAfterMs)
  const owner = await ownerOf(process.pid)

  async function size(digest: Digest): Promise<number | undefined> {
    const found = await stat(paths.blob(digest)).catch(unlessMissing)
    return found?.size
  }

  const uploads = createUploads(paths, owner, sizeMax, size)
  return {
    size,
    open: (digest) => openBlob(paths, digest),
    create: () => createWriter(paths, owner, sizeMax),
    remove: (digest) => removeBlob(paths, digest),
    uploadOffset: (digest) => uploads.offset(digest),
    uploadChunk: (digest, total, offset, chunks) => uploads.chunk(digest, total, offset, chunks),
  }
}

/** Digests come from strangers and become paths here, so this is where their form is checked whatever the types say. */
function blobPaths(root: string): BlobPaths {
  const checked = (digest: Digest) =>
    isDigest(digest) ? digest : fail('invalid-request', 'a blob is named by its SHA-256 in lowercase hex')
  const partial = join(root, 'partial')
  const shard = (digest: Digest) => join(root, checked(digest).slice(0, 2))
  return {
    root,
    partial,
    shard,
    blob: (digest) => join(shard(digest), digest),
    upload: (digest) => join(partial, `${checked(digest)}.upload`),
  }
}

async function openBlob(paths: BlobPaths, digest: Digest): Promise<BlobReader> {
  const file = await open(paths.blob(digest), 'r').catch(unlessMissing)
  if (!file) fail('blob-missing', `blob ${digest} is not here`, { digest })
  const { size } = await file.stat()
  return {
    digest,
    size,
    async read(offset, into) {
      for (let done = 0; done < into.length; ) {
        const { bytesRead } = await file.read(into, done, into.length - done, offset + done)
        if (bytesRead === 0) fail('blob-truncated', `blob ${digest} ends at ${size}`, { digest, size })
        done += bytesRead
      }
    },
    close: () => file.close(),
  }
}

/** Synced too when it was gone already: the process that removed it may have died before it did. */
async function removeBlob(paths: BlobPaths, digest: Digest): Promise<void> {
  await rm(paths.blob(digest), { force: true })
  await syncDirectory(paths.shard(digest)).catch(unlessMissing)
}

export function unlessMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
  return undefined
}
