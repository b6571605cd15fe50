/**
 * The arithmetic of the program, in strict-SIMD WebAssembly: the same bits on any machine. This file gives it types and
 * checks lengths; memory is the arena's. No view into the memory leaves the room, because growth would detach it.
 */

import { EntenteError, fail } from '../../base/errors.ts'
import { Arena } from './arena.ts'
import type { KernelExports, WebAssemblyApi } from './exports.ts'

/** A running float64 sum of weighted float32 vectors, kept in the memory of the kernels. */
export interface Accumulator {
  readonly length: number
  /**
   * sum[i] += weight * chunk[i] for the first chunk.length elements. False when a value of the chunk is NaN or infinite;
   * the sum is spoiled then: reset or release it.
   */
  add(chunk: Float32Array, weight: number): boolean
  /** out[i] = sum[i] / total, rounded once, for the first out.length elements. */
  mean(total: number, out: Float32Array): void
  reset(): void
  /** Gives the memory back; the accumulator is unusable afterwards. */
  release(): void
}

/** What streaming aggregation needs: checks, sums and norms of chunks, in an order that depends on the lengths alone. */
export interface AggregationKernels {
  accumulator(length: number): Accumulator
  /** {@link Accumulator.add} for a sum outside the kernels' memory; it is copied in and out. */
  accumulate(sum: Float64Array, chunk: Float32Array, weight: number): boolean
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
  const memory = new api.Memory({ initial: options.pages ?? 16 })
  const raw = instantiate(api, wasm, memory)
  const arena = new Arena(memory, raw.MEMORY_BASE.value)
  const scratch = arena.allocate(raw.SCRATCH_BYTES.value)
  return {
    raw,
    arena,
    scratch,
    ...aggregationKernels(raw, arena),
    exp: (x) => raw.expOf(x),
    softplus: (x) => raw.softplusOf(x),
  }
}

function abort(): never {
  fail('internal', 'a kernel aborted')
}

function instantiate(api: WebAssemblyApi, wasm: Uint8Array, memory: object): KernelExports {
  try {
    const instance = new api.Instance(new api.Module(wasm), { env: { memory, abort } })
    return instance.exports as KernelExports
  } catch (cause) {
    throw new EntenteError('model-invalid', 'the kernels cannot be loaded; run `npm run setup` to build them', {
      cause,
    })
  }
}

function aggregationKernels(raw: KernelExports, arena: Arena): AggregationKernels {
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

  function accumulate(sum: Float64Array, chunk: Float32Array, weight: number): boolean {
    checkLength(chunk, sum.length)
    const offset = arena.allocate(sum.byteLength)
    try {
      return staged([chunk], ([x = 0]) => {
        const inside = arena.float64(offset, sum.length)
        inside.set(sum)
        const finite = raw.accumulate(offset, x, chunk.length, weight) === 1
        sum.set(inside)
        return finite
      })
    } finally {
      arena.release(offset)
    }
  }

  return {
    accumulator: (length) => createAccumulator(raw, arena, length),
    accumulate,
    finite: (chunk) => staged([chunk], ([x = 0]) => raw.finite(x, chunk.length) === 1),
    squaredNorm: (chunk) => staged([chunk], ([x = 0]) => raw.squaredNorm(x, chunk.length)),
    squaredDistance,
  }
}

/** Floats that are copied into the memory at a time: the copy is still in the first-level cache when it is added. */
const STAGE_LENGTH = 4096

function createAccumulator(raw: KernelExports, arena: Arena, length: number): Accumulator {
  const sum = arena.allocate(length * 8)
  const stage = arena.allocate(STAGE_LENGTH * 4)
  const reset = (): void => void arena.float64(sum, length).fill(0)

  function add(chunk: Float32Array, weight: number): boolean {
    checkLength(chunk, length)
    const staging = arena.float32(stage, STAGE_LENGTH)
    let finite = 1
    for (let from = 0; from < chunk.length; from += STAGE_LENGTH) {
      const part = chunk.subarray(from, from + STAGE_LENGTH)
      staging.set(part)
      finite &= raw.accumulate(sum + from * 8, stage, part.length, weight)
    }
    return finite === 1
  }

  function mean(total: number, out: Float32Array): void {
    checkLength(out, length)
    for (let from = 0; from < out.length; from += STAGE_LENGTH) {
      const count = Math.min(STAGE_LENGTH, out.length - from)
      raw.mean(sum + from * 8, stage, count, total)
      out.set(arena.float32(stage, count), from)
    }
  }

  function release(): void {
    arena.release(sum)
    arena.release(stage)
  }

  reset()
  return { length, add, mean, reset, release }
}

function checkLength(array: Float32Array, lengthMax: number): void {
  if (array.length > lengthMax) fail('wrong-shape', `${array.length} elements do not fit into ${lengthMax}`)
}
