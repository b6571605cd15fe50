/**
 * The arithmetic of the program, in strict-SIMD WebAssembly: the same bits on any machine. This file gives it types and
 * checks lengths; memory is the arena's. No view into the memory leaves the room, because growth would detach it.
 */

import { EntenteError, fail } from '../../base/errors.ts'
import { type Accumulator, accumulatorsOver, type InstantiateFixed } from './accumulator.ts'
import { Arena, type LinearMemory } from './arena.ts'
import type { KernelExports, WebAssemblyApi } from './exports.ts'
import { type MakeRows, rowsOver } from './rows.ts'

/** What streaming aggregation needs: checks, sums and norms of chunks, in an order that depends on the lengths alone. */
export interface AggregationKernels {
  /** A sum of `length` values with so many input buffers. @throws unavailable when there is no memory for it */
  accumulator(length: number, inputs: number): Accumulator
  /** A block of `inputs` vectors for robust statistics. @throws unavailable when there is no memory for it */
  readonly rows: MakeRows
  /** True when no value is NaN or infinite. */
  finite(chunk: Float32Array): boolean
  /** Sum of squares in float64. */
  squaredNorm(chunk: Float32Array): number
  /** Sum of squared differences in float64; equal lengths. */
  squaredDistance(a: Float32Array, b: Float32Array): number
}

export interface Kernels extends AggregationKernels {
  /** Raw kernels and the memory that they work on, for the models of this room. */
  readonly raw: KernelExports
  readonly arena: Arena
  /** Scratch of {@link KernelExports.gemm}. */
  readonly scratch: number
  /** Deterministic e^x, within 2 units in the last place. */
  exp(x: number): number
  /** Deterministic log(1 + e^x). */
  softplus(x: number): number
}

export interface KernelOptions {
  /** Initial memory in pages of 64 KiB; it grows when needed. */
  readonly pages?: number
}

/**
 * Kernels of their own memory, from the bytes that scripts/build-kernels.mjs wrote.
 * @throws model-invalid if the bytes are not that module
 */
export function instantiateKernels(wasm: Uint8Array, options: KernelOptions = {}): Kernels {
  const api = (globalThis as unknown as { WebAssembly: WebAssemblyApi }).WebAssembly
  const module = compile(api, wasm)
  const memory = new api.Memory({ initial: options.pages ?? 16 })
  const raw = instantiate(api, module, memory)
  const withMemory: InstantiateFixed = (pages) => {
    const fixed = fixedMemory(api, pages)
    return { raw: instantiate(api, module, fixed), memory: fixed }
  }
  const arena = new Arena(memory, raw.MEMORY_BASE.value)
  const scratch = arena.allocate(raw.SCRATCH_BYTES.value)
  return {
    raw,
    arena,
    scratch,
    ...aggregationKernels(raw, arena, withMemory),
    exp: (x) => raw.expOf(x),
    softplus: (x) => raw.softplusOf(x),
  }
}

function abort(): never {
  fail('internal', 'a kernel aborted')
}

function compile(api: WebAssemblyApi, wasm: Uint8Array): object {
  try {
    return new api.Module(wasm)
  } catch (cause) {
    throw new EntenteError('model-invalid', 'the kernels cannot be loaded; run `npm run setup` to build them', {
      cause,
    })
  }
}

function instantiate(api: WebAssemblyApi, module: object, memory: object): KernelExports {
  try {
    return new api.Instance(module, { env: { memory, abort } }).exports as KernelExports
  } catch (cause) {
    throw new EntenteError('model-invalid', 'the kernels cannot be loaded; run `npm run setup` to build them', {
      cause,
    })
  }
}

function fixedMemory(api: WebAssemblyApi, pages: number): LinearMemory {
  try {
    return new api.Memory({ initial: pages, maximum: pages })
  } catch (cause) {
    throw new EntenteError('unavailable', `there is no memory for a sum of ${pages} pages of 64 KiB`, { cause })
  }
}

function aggregationKernels(raw: KernelExports, arena: Arena, withMemory: InstantiateFixed): AggregationKernels {
  /** Runs `work` on copies of the arrays in the arena. */
  function staged<T>(arrays: readonly Float32Array[], work: (offsets: readonly number[]) => T): T {
    const offsets = arrays.map((array) => arena.allocate(array.byteLength))
    try {
      arrays.forEach((array, i) => arena.float32(offsets[i] ?? 0, array.length).set(array))
      return work(offsets)
    } finally {
      for (const offset of offsets) arena.release(offset)
    }
  }

  function squaredDistance(a: Float32Array, b: Float32Array): number {
    if (a.length !== b.length) fail('wrong-shape', `vectors of ${a.length} and ${b.length} elements have no distance`)
    return staged([a, b], ([x = 0, y = 0]) => raw.squaredDistance(x, y, a.length))
  }

  return {
    accumulator: accumulatorsOver(withMemory),
    rows: rowsOver(withMemory),
    finite: (chunk) => staged([chunk], ([x = 0]) => raw.finite(x, chunk.length) === 1),
    squaredNorm: (chunk) => staged([chunk], ([x = 0]) => raw.squaredNorm(x, chunk.length)),
    squaredDistance,
  }
}
