/** The product's masking threads over vectors in memory: a peer does not write its vector to a disk, either. */

import { fail } from '../../src/base/errors.ts'
import { sha256Hex } from '../../src/base/hash.ts'
import { release } from '../../src/base/release.ts'
import { createMaskingThreads, type MaskingThreads } from '../../src/node/masking/threads.ts'
import type { Blobs, BlobWriter } from '../../src/node/ports.ts'

const none = (): never => fail('not-available', 'this bench only masks')

async function create(): Promise<BlobWriter> {
  const parts: Uint8Array[] = []
  return {
    write: async (chunk) => void parts.push(chunk.slice()),
    async commit() {
      const size = parts.reduce((bytes, { length }) => bytes + length, 0)
      // A peer's vector is gone with the last reference to it, and not when some later measurement collects it.
      release(...parts)
      return { digest: sha256Hex(new Uint8Array()), size }
    },
    abort: async () => undefined,
  }
}

const blobs: Blobs = { create, open: none, size: none, remove: none, uploadOffset: none, uploadChunk: none }

export const inMemoryThreads = (threads: number): MaskingThreads => createMaskingThreads({ blobs, threads })
