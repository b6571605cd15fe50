/** A model from a file that anybody may have written. */

import { open } from 'node:fs/promises'
import { EntenteError, fail } from '../../base/errors.ts'
import { sha256Hex } from '../../base/hash.ts'
import type { Digest } from '../../base/ids.ts'
import { type ByteReader, openTensors, parameterCount, readValues } from '../../learning/tensor-reader.ts'
import type { AcceleratedModel, Accelerator } from '../../models/accelerator.ts'
import { type SafetensorsHeader, encodeHeader } from '../../models/formats/safetensors.ts'
import { createModel, type Objective, type ThreatModelSpec } from '../../models/model.ts'
import { loadKernels } from '../kernels.ts'
import { specOf } from '../model-files.ts'

export interface LoadedModel {
  readonly spec: ThreatModelSpec
  readonly header: SafetensorsHeader
  /** In layout order. */
  readonly parameters: Float32Array
  /** SHA-256 of the file: the model hash of the ledger. */
  readonly digest: Digest
  /** Higher is worse; one score a row. By default what the model learnt of attacks; `link` is surprise. */
  score(features: Float32Array, rows: number, objective?: Objective): Float32Array
  /** The same scores to 1e-4, later. @throws model-invalid */
  accelerate(by: Accelerator): Promise<AcceleratedModel>
}

/** Tensors of a file, whatever kind of model they are of. */
export interface ModelFile {
  readonly header: SafetensorsHeader
  readonly parameters: Float32Array
  readonly digest: Digest
}

/**
 * Takes as much memory as the file has bytes, whatever its header claims.
 * @throws not-found; model-invalid for anything that is not a whole file of tensors; not-finite
 */
export function readModelFile(path: string): Promise<ModelFile> {
  return reading(path, readTensors)
}

/** As {@link readModelFile}. @throws model-invalid, too, unless the model is of a kind that scores interactions */
export function loadModel(path: string): Promise<LoadedModel> {
  return reading(path, async (file) => modelOf(await readTensors(file)))
}

async function reading<T>(path: string, work: (file: ByteReader) => Promise<T>): Promise<T> {
  const file = await open(path, 'r').catch((cause: NodeJS.ErrnoException) =>
    fail('not-found', `there is no model at ${path}: ${cause.message}`),
  )
  try {
    const { size } = await file.stat()
    return await work({
      size,
      async read(offset, into) {
        const { bytesRead } = await file.read(into, 0, into.length, offset)
        if (bytesRead < into.length) fail('model-invalid', 'it became shorter while it was read')
      },
    })
  } catch (cause) {
    if (!(cause instanceof EntenteError)) throw cause
    const code = cause.code === 'blob-truncated' ? 'model-invalid' : cause.code
    throw new EntenteError(code, `${path} cannot be used: ${cause.message}`, { cause })
  } finally {
    await file.close()
  }
}

async function readTensors(file: ByteReader): Promise<ModelFile> {
  const tensors = await openTensors(file)
  const { header } = tensors
  const parameters = await readValues(tensors, 0, new Float32Array(parameterCount(header)))
  if (!loadKernels().finite(parameters)) fail('not-finite', 'it has a weight that is NaN or infinite')
  const bytes = new Uint8Array(parameters.buffer, parameters.byteOffset, parameters.byteLength)
  return { header, parameters, digest: sha256Hex(encodeHeader(header.tensors, header.metadata), bytes) }
}

function modelOf({ header, parameters, digest }: ModelFile): LoadedModel {
  const model = createModel(specOf(header), loadKernels())
  assertLayout(model.layout, header)
  return {
    spec: model.spec,
    header,
    parameters,
    digest,
    score: (features, rows, objective) => model.score(parameters, features, rows, objective),
    accelerate: (by) => by.load(model.spec, parameters),
  }
}

/** The file must have the tensors of the model that it says it is. */
function assertLayout(layout: readonly { name: string; shape: readonly number[] }[], header: SafetensorsHeader): void {
  const text = (tensors: readonly { name: string; shape: readonly number[] }[]): string =>
    JSON.stringify(tensors.map(({ name, shape }) => [name, shape]))
  if (text(layout) !== text(header.tensors))
    fail('model-invalid', 'its tensors are not those of the model that it names')
}
