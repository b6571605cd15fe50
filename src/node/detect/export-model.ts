/** A model for other programs: the safetensors file as it is, or an ONNX graph made from it. */

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { copyFile, open, rename, rm } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { canonicalJson } from '../../base/canonical.ts'
import type { Digest } from '../../base/ids.ts'
import { exportOnnx } from '../../models/formats/onnx/export.ts'
import type { ModelSpec } from '../../models/model.ts'
import { KINDS } from '../../models/policy/spec.ts'
import { decodeAction } from '../../models/response/blue.ts'
import { specOf } from '../model-files.ts'
import { loadPolicy } from '../policy/policy-file.ts'
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
  const { header } = await readModelFile(path)
  const { spec, parameters, digest, version, names } = await (specOf(header).kind === 'policy'
    ? policyOf(path)
    : threatModelOf(path))
  const metadata = {
    'entente.model': canonicalJson(spec),
    'entente.model_hash': digest,
    'entente.model_version': version,
    ...names,
  }
  await writeWhole(to, exportOnnx({ spec, parameters, producerVersion, metadata }))
  return digest
}

interface Exportable {
  readonly spec: ModelSpec
  readonly parameters: Float32Array
  readonly digest: Digest
  readonly version: string
  /** Of columns or actions, so that a reader of the file need not know this program. */
  readonly names: Readonly<Record<string, string>>
}

async function threatModelOf(path: string): Promise<Exportable> {
  const { spec, parameters, digest, header } = await loadModel(path)
  const names = { 'entente.features': JSON.stringify(rowNames(spec)) }
  return { spec, parameters, digest, version: header.metadata['version'] ?? '', names }
}

async function policyOf(path: string): Promise<Exportable> {
  const { policy, parameters, digest, version } = await loadPolicy(path)
  const { spec } = policy
  const slots = (spec.actions - 1) / KINDS
  const actions = Array.from({ length: spec.actions }, (_, action) => {
    const { kind, at } = decodeAction(slots, action) ?? { kind: 'sleep', at: 0 }
    return kind === 'sleep' ? kind : `${kind} ${at}`
  })
  return { spec, parameters, digest, version, names: { 'entente.actions': JSON.stringify(actions) } }
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
