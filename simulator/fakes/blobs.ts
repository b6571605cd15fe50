/** Blobs on virtual time: a writer's bytes are lost in a crash before its commit; an upload keeps a prefix of what arrived. */

import { concatBytes } from '../../src/base/bytes.ts'
import { fail } from '../../src/base/errors.ts'
import { sha256Hex } from '../../src/base/hash.ts'
import type { Digest } from '../../src/base/ids.ts'
import type { BlobReader, BlobWriter, Blobs } from '../../src/node/ports.ts'
import type { Disk } from './disk.ts'
import type { Process } from './process.ts'

const short = (digest: Digest): string => digest.slice(0, 8)

export function createBlobs(process: Process, disk: Disk): Blobs {
  async function open(digest: Digest): Promise<BlobReader> {
    await process.point(`blob open ${short(digest)}`)
    const bytes = disk.blobs.get(digest) ?? fail('blob-missing', `there is no blob ${digest} here`)
    return {
      digest,
      size: bytes.length,
      async read(offset, into) {
        await process.point('blob read', 0.01)
        if (offset + into.length > bytes.length) fail('blob-truncated', `blob ${digest} ends at ${bytes.length}`)
        into.set(bytes.subarray(offset, offset + into.length))
      },
      close: async () => undefined,
    }
  }

  async function create(): Promise<BlobWriter> {
    let chunks: Uint8Array[] = []
    return {
      write: async (chunk) => void chunks.push(chunk.slice()),
      async commit(expected) {
        const bytes = concatBytes(...chunks)
        const digest = sha256Hex(bytes)
        if (expected !== undefined && digest !== expected)
          fail('digest-mismatch', `the bytes are ${digest}, not ${expected}`)
        await process.point(`before blob commit ${short(digest)}`)
        disk.store(digest, bytes)
        await process.point(`after blob commit ${short(digest)}`)
        return { digest, size: bytes.length }
      },
      abort: async () => void (chunks = []),
    }
  }

  async function uploadChunk(digest: Digest, size: number, offset: number, chunks: AsyncIterable<Uint8Array>) {
    await process.point(`upload ${short(digest)} at ${offset}`)
    if (disk.blobs.has(digest)) return { offset: size, complete: true }
    const upload = disk.uploads.get(digest) ?? { bytes: new Uint8Array(0), synced: 0 }
    if (offset !== upload.bytes.length)
      fail('offset-mismatch', `the upload is at ${upload.bytes.length}`, { offset: upload.bytes.length })
    disk.uploads.set(digest, upload)
    try {
      for await (const chunk of chunks) extend(disk, digest, upload, chunk, size)
    } finally {
      upload.synced = upload.bytes.length
    }
    await process.point(`uploaded ${short(digest)} to ${upload.bytes.length}`)
    return finish(disk, digest, upload, size)
  }

  async function remove(digest: Digest): Promise<void> {
    await process.point(`before blob removal ${short(digest)}`)
    disk.blobs.delete(digest)
    await process.point(`after blob removal ${short(digest)}`)
  }

  return {
    remove,
    size: async (digest) => {
      await process.point(`blob size ${short(digest)}`)
      return disk.blobs.get(digest)?.length
    },
    open,
    create,
    uploadOffset: async (digest) => {
      await process.point(`upload offset ${short(digest)}`)
      return disk.blobs.get(digest)?.length ?? disk.uploads.get(digest)?.bytes.length ?? 0
    },
    uploadChunk,
  }
}

function extend(disk: Disk, digest: Digest, upload: { bytes: Uint8Array }, chunk: Uint8Array, size: number): void {
  if (upload.bytes.length + chunk.length > size) {
    disk.uploads.delete(digest)
    fail('body-too-large', `more than the ${size} bytes that were announced`)
  }
  upload.bytes = concatBytes(upload.bytes, chunk)
}

function finish(
  disk: Disk,
  digest: Digest,
  upload: { bytes: Uint8Array },
  size: number,
): { offset: number; complete: boolean } {
  const offset = upload.bytes.length
  if (offset < size) return { offset, complete: false }
  disk.uploads.delete(digest)
  if (sha256Hex(upload.bytes) !== digest) fail('digest-mismatch', `the uploaded bytes are not those of ${digest}`)
  disk.store(digest, upload.bytes)
  return { offset, complete: true }
}
