/** The kernels over a memory that threads share. */

import { EntenteError, fail } from '../../base/errors.ts'
import type { KernelExports, WebAssemblyApi } from './exports.ts'

/**
 * One thread's kernels, from the compiled module kernels-shared.wasm; offsets mean the same bytes in every thread.
 * @throws model-invalid if it is another module
 */
export function instantiateShared(module: object, memory: object): KernelExports {
  const api = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly
  const abort = (): never => fail('internal', 'a kernel aborted')
  try {
    return new api.Instance(module, { env: { memory, abort } }).exports as KernelExports
  } catch (cause) {
    throw new EntenteError('model-invalid', 'the shared kernels cannot be loaded; run `npm run setup`', { cause })
  }
}
