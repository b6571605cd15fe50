/** A response policy from a file that anybody may have written. */

import { open } from 'node:fs/promises'
import { EntenteError, fail } from '../../base/errors.ts'
import { sha256Hex } from '../../base/hash.ts'
import type { Digest } from '../../base/ids.ts'
import { decodeSafetensors } from '../../models/formats/safetensors.ts'
import { createPolicy, type Policy } from '../../models/policy/policy.ts'
import { loadKernels } from '../kernels.ts'
import { specOf } from '../model-files.ts'

export interface LoadedPolicy {
  readonly policy: Policy
  /** In layout order. */
  readonly parameters: Float32Array
  /** SHA-256 of the file: the model hash of the ledger. */
  readonly digest: Digest
  readonly version: string
}

/** A policy has some ten thousand parameters; whatever is larger than this is something else. */
const BYTES_MAX = 1 << 28

/** @throws not-found; model-invalid for anything that is not a whole policy; not-finite */
export async function loadPolicy(path: string): Promise<LoadedPolicy> {
  const bytes = await readPolicyFile(path)
  try {
    return decodePolicy(bytes)
  } catch (cause) {
    if (!(cause instanceof EntenteError)) throw cause
    throw new EntenteError(cause.code, `${path} is no response policy: ${cause.message}`, { cause })
  }
}

async function readPolicyFile(path: string): Promise<Uint8Array> {
  const file = await open(path, 'r').catch((cause: NodeJS.ErrnoException) =>
    fail('not-found', `there is no policy at ${path}: ${cause.message}`),
  )
  try {
    const { size } = await file.stat()
    if (size > BYTES_MAX) fail('model-invalid', `${path} is no response policy: it has ${size} bytes`)
    return await file.readFile()
  } finally {
    await file.close()
  }
}

function decodePolicy(bytes: Uint8Array): LoadedPolicy {
  const { header, tensors } = decodeSafetensors(bytes)
  const spec = specOf(header)
  if (spec.kind !== 'policy')
    fail('model-invalid', `it is a model of kind ${spec.kind}, which scores interactions: see entente detect`)
  const kernels = loadKernels()
  const policy = createPolicy(spec, kernels)
  const parameters = new Float32Array(policy.parameterCount)
  let at = 0
  for (const { name, shape } of policy.layout) {
    const tensor = tensors.get(name)
    if (tensor === undefined || String(tensor.shape) !== String(shape) || tensors.size !== policy.layout.length)
      fail('model-invalid', 'its tensors are not those of the policy that it names')
    parameters.set(tensor.values, at)
    at += tensor.values.length
  }
  if (!kernels.finite(parameters)) fail('not-finite', 'it has a weight that is NaN or infinite')
  return { policy, parameters, digest: sha256Hex(bytes), version: header.metadata['version'] ?? '' }
}
