/** A model for other programs: the safetensors file as it is, or an ONNX graph made from it. */

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { copyFile, open, rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { canonicalJson } from '../../base/canonical.ts'
import type { Digest } from '../../base/ids.ts'
import { exportOnnx } from '../../models/formats/onnx/export.ts'
import { cannotWrite } from './cannot-write.ts'
import { loadModel, readModelFile } from './model-file.ts'
import { rowNames } from './row-source.ts'

export const MODEL_FORMATS = ['safetensors', 'onnx'] as const
export type ModelFormat = (typeof MODEL_FORMATS)[number]

export interface ExportedModel {
  readonly file: string
  readonly format: ModelFormat
  /** SHA-256 of the safetensors file: the name of the model in a ledger. */
  readonly model_hash: Digest
  /** SHA-256 of what was written. */
  readonly file_hash: string
}

/**
 * Writes a model that was checked whole; an older file stays until the new one is complete.
 * @throws not-found, model-invalid, not-finite, storage-full, config-invalid; wrong-shape if this version makes no rows for it
 */
export async function exportModel(
  path: string,
  output: string,
  format: ModelFormat,
  programVersion: string,
): Promise<ExportedModel> {
  const partial = `${output}.partial`
  const write = { safetensors: writeCopy, onnx: writeOnnx }[format]
  let digest: Digest
  try {
    digest = await write(path, partial, programVersion)
    await rename(partial, output)
  } catch (cause) {
    await rm(partial, { force: true })
    return cannotWrite(output)(cause)
  }
  const hash = createHash('sha256')
  await pipeline(createReadStream(output), hash)
  return { file: output, format, model_hash: digest, file_hash: hash.digest('hex') }
}

/** Models of any kind, as they are; the copy is what is checked, since the file may change meanwhile. */
async function writeCopy(path: string, to: string): Promise<Digest> {
  await readModelFile(path)
  await copyFile(path, to)
  return (await readModelFile(to)).digest
}

async function writeOnnx(path: string, to: string, producerVersion: string): Promise<Digest> {
  const { spec, parameters, digest, header } = await loadModel(path)
  const metadata = {
    'entente.model': canonicalJson(spec),
    'entente.model_hash': digest,
    'entente.model_version': header.metadata['version'] ?? '',
    'entente.features': JSON.stringify(rowNames(spec)),
  }
  await writeWhole(to, exportOnnx({ spec, parameters, producerVersion, metadata }))
  return digest
}

async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'w', 0o600)
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}
