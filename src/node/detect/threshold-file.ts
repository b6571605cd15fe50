/** The threshold that lies beside a model: `model.safetensors.threshold.json`. Deleting it undoes the calibration. */

import { readFile } from 'node:fs/promises'
import { EntenteError } from '../../base/errors.ts'
import type { Digest } from '../../base/ids.ts'
import { encodeThreshold, parseThreshold, type ThresholdFile } from '../../models/detection/threshold.ts'
import { replaceFile } from '../replace-file.ts'
import { cannotWrite } from './cannot-write.ts'

export const thresholdPath = (modelPath: string): string => `${modelPath}.threshold.json`

/** Undefined if there is none. @throws config-invalid if it is damaged, or was chosen for another model */
export async function readThreshold(modelPath: string, model: Digest): Promise<ThresholdFile | undefined> {
  const path = thresholdPath(modelPath)
  const text = await readFile(path, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined
    throw new EntenteError('config-invalid', `${path} cannot be read: ${cause.message}`, { cause })
  })
  return text === undefined ? undefined : parseThreshold(text, model)
}

/** @throws storage-full; config-invalid if there is no writing beside the model */
export async function writeThreshold(modelPath: string, file: ThresholdFile): Promise<string> {
  const path = thresholdPath(modelPath)
  await replaceFile(path, encodeThreshold(file), 0o600).catch(cannotWrite(path))
  return path
}
