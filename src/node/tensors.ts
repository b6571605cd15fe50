/** A blob as the readers of the pure rooms see it. */

import type { Digest } from '../base/ids.ts'
import { openTensors, type TensorReader } from '../learning/tensor-reader.ts'
import type { BlobReader, Blobs } from './ports.ts'

export type OpenTensors = TensorReader & { close(): Promise<void> }

/** The file of an update, and where its values begin: all of them in the order of the model, without a gap. */
export async function openUpdateFile(blobs: Blobs, digest: Digest): Promise<{ file: BlobReader; dataOffset: number }> {
  const file = await blobs.open(digest)
  try {
    return { file, dataOffset: (await openTensors(file)).header.dataOffset }
  } catch (error) {
    await file.close()
    throw error
  }
}

/** @throws blob-missing, blob-truncated, model-invalid */
export async function openBlobTensors(blobs: Blobs, digest: Digest): Promise<OpenTensors> {
  const reader = await blobs.open(digest)
  try {
    return { ...(await openTensors(reader)), close: () => reader.close() }
  } catch (error) {
    await reader.close()
    throw error
  }
}
