/** Loads the compiled kernels from beside their sources. */

import { readFileSync } from 'node:fs'
import { EntenteError } from '../base/errors.ts'
import { instantiateKernels, type KernelOptions, type Kernels } from '../models/kernels/kernels.ts'

const KERNELS = new URL('../models/kernels/kernels.wasm', import.meta.url)

let bytes: Uint8Array | undefined

/** Kernels with a memory of their own at each call. @throws model-invalid when they have not been built */
export function loadKernels(options: KernelOptions = {}): Kernels {
  bytes ??= readKernels()
  return instantiateKernels(bytes, options)
}

function readKernels(): Uint8Array {
  try {
    return readFileSync(KERNELS)
  } catch (cause) {
    throw new EntenteError('model-invalid', 'the kernels are not built; run `npm run setup`', { cause })
  }
}
