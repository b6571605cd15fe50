/** Models and updates as blobs: their header, their values as one flat vector, and writing them. */

import { concatBytes } from '../base/bytes.ts'
import { canonicalJson } from '../base/canonical.ts'
import { fail } from '../base/errors.ts'
import type { Digest } from '../base/ids.ts'
import { parameterCount, readValues } from '../learning/tensor-reader.ts'
import { encodeHeader, type SafetensorsHeader } from '../models/formats/safetensors.ts'
import { type ModelSpec, parseModelSpec, type TensorShape } from '../models/model.ts'
import type { Blobs } from './ports.ts'
import { openBlobTensors } from './tensors.ts'

export const modelMetadata = (spec: ModelSpec, version: string): Record<string, string> => ({
  format: 'entente-model-1',
  model: canonicalJson(spec),
  version,
})

/** The model that a header describes. @throws model-invalid */
export function specOf(header: SafetensorsHeader): ModelSpec {
  try {
    return parseModelSpec(JSON.parse(header.metadata['model'] ?? 'null'))
  } catch (cause) {
    fail('model-invalid', `the file does not say which model it is: ${String(cause)}`)
  }
}

/** All values of a file in the order of its tensors' names: the flat parameters of the model. */
export async function readFlat(
  blobs: Blobs,
  digest: Digest,
): Promise<{ header: SafetensorsHeader; values: Float32Array }> {
  const tensors = await openBlobTensors(blobs, digest)
  try {
    const { header } = tensors
    return { header, values: await readValues(tensors, 0, new Float32Array(parameterCount(header))) }
  } finally {
    await tensors.close()
  }
}

/** A file of these flat values. */
export function encodeFlat(
  layout: readonly TensorShape[],
  metadata: Record<string, string>,
  values: Float32Array,
): Uint8Array {
  return concatBytes(
    encodeHeader(layout, metadata),
    new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  )
}

/** With `expected`, @throws digest-mismatch and keeps nothing. */
export async function writeBlob(
  blobs: Blobs,
  bytes: Uint8Array,
  expected?: Digest,
): Promise<{ digest: Digest; size: number }> {
  const writer = await blobs.create()
  try {
    await writer.write(bytes)
    return await writer.commit(expected)
  } catch (error) {
    await writer.abort()
    throw error
  }
}
