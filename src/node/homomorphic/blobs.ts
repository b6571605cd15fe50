/** Vectors of ciphertexts and partial decryptions as blobs. They are read whole: some tens of megabytes. */

import type { Digest } from '../../base/ids.ts'
import { writeBlob } from '../model-files.ts'
import type { Blobs } from '../ports.ts'

/** @throws blob-missing */
export async function readWhole(blobs: Blobs, digest: Digest): Promise<Uint8Array> {
  const file = await blobs.open(digest)
  try {
    const bytes = new Uint8Array(file.size)
    await file.read(0, bytes)
    return bytes
  } finally {
    await file.close()
  }
}

export async function store(blobs: Blobs, bytes: Uint8Array): Promise<Digest> {
  return (await writeBlob(blobs, bytes)).digest
}
