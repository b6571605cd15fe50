/** A blob as the readers of the pure rooms see it. */

import type { Digest } from '../base/ids.ts'
import { openTensors, type TensorReader } from '../learning/tensor-reader.ts'
import type { Blobs } from './ports.ts'

export type OpenTensors = TensorReader & { close(): Promise<void> }

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
