/**
 * Whether a file is an update of this model, read once from front to back. It comes from an organisation that may be
 * hostile or broken: nothing of it is believed, and nothing reaches an aggregate before this has passed.
 */

import { equalBytes } from '../base/bytes.ts'
import { fail } from '../base/errors.ts'
import type { Digest } from '../base/ids.ts'
import { encodeHeader, parseHeader, type SafetensorsHeader, sameLayout } from '../models/formats/safetensors.ts'
import type { AggregationKernels } from '../models/kernels/kernels.ts'
import { CHUNK_ELEMENTS } from './weighted-sum.ts'
import {
  type ByteReader,
  parameterCount,
  ranges,
  readAhead,
  readHeaderBytes,
  type TensorReader,
} from './tensor-reader.ts'

export const UPDATE_FORMAT = 'entente-update-1'

/** Metadata of an update's file: all there is, so that equal updates are equal files. */
export function updateMetadata(baseModel: Digest): Record<string, string> {
  return { format: UPDATE_FORMAT, base_model: baseModel }
}

export interface BaseModel {
  readonly header: SafetensorsHeader
  readonly digest: Digest
}

/**
 * The update's reader, if it has the layout of the model, names it as its base, is complete and finite.
 * @throws model-invalid, wrong-shape, wrong-base-model, blob-truncated, not-finite
 */
export async function validateUpdate(
  file: ByteReader,
  base: BaseModel,
  kernels: Pick<AggregationKernels, 'finite'>,
  chunkElements = CHUNK_ELEMENTS,
): Promise<TensorReader> {
  const header = checkHeader(await readHeaderBytes(file), file.size, base)
  const reader: TensorReader = { size: file.size, header, read: (offset, into) => file.read(offset, into) }
  await checkFinite(reader, kernels, chunkElements)
  return reader
}

/** An update has exactly one right header, which is known beforehand; any other is looked at only to say what is wrong. */
function checkHeader(bytes: Uint8Array, fileSize: number, base: BaseModel): SafetensorsHeader {
  const expected = encodeHeader(base.header.tensors, updateMetadata(base.digest))
  if (!equalBytes(bytes, expected)) explain(bytes, fileSize, base)
  const wanted = expected.length + base.header.dataLength
  if (fileSize < wanted) fail('blob-truncated', `the update has ${fileSize} of ${wanted} bytes`)
  return parseHeader(bytes, fileSize)
}

function explain(bytes: Uint8Array, fileSize: number, base: BaseModel): never {
  const header = parseHeader(bytes, fileSize)
  if (!sameLayout(header, base.header)) fail('wrong-shape', 'the update does not have the tensors of the model')
  const { format, base_model: from } = header.metadata
  if (format !== UPDATE_FORMAT) fail('model-invalid', 'the file is not an update')
  if (from !== base.digest) fail('wrong-base-model', 'the update starts from another model', { expected: base.digest })
  fail('model-invalid', 'the update has metadata that do not belong there')
}

async function checkFinite(
  reader: TensorReader,
  kernels: Pick<AggregationKernels, 'finite'>,
  chunkElements: number,
): Promise<void> {
  const size = parameterCount(reader.header)
  const countMax = Math.max(1, Math.min(size, chunkElements))
  const reads = [...ranges(size, countMax)].map((range) => [{ reader, ...range }])
  const buffer = (): Float32Array[] => [new Float32Array(countMax)]
  for await (const { values } of readAhead(reads, [buffer(), buffer()]))
    if (!values.every((chunk) => kernels.finite(chunk)))
      fail('not-finite', 'the update has a value that is NaN or infinite')
}
