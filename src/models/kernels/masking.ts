/** Masked integers, chunk by chunk, in SIMD: the rounding and the sums that secure aggregation asks for. */

import { fail } from '../../base/errors.ts'
import type { KernelExports } from './exports.ts'
import type { Kernels } from './kernels.ts'

/** See assembly/masking.ts. */
export interface MaskingExports {
  addWords32(sum: number, x: number, bytes: number): void
  subtractWords32(sum: number, x: number, bytes: number): void
  addFour32(sum: number, x: number, stride: number, bytes: number): void
  subtractFour32(sum: number, x: number, stride: number, bytes: number): void
  addWords64(sum: number, x: number, bytes: number): void
  subtractWords64(sum: number, x: number, bytes: number): void
  roundWords32(x: number, count: number, factor: number, bound: number, draws: number, out: number): number
}

/** One chunk of a sum, of at most {@link CHUNK_BYTES}, to which chunks of the same length are added mod 2^width. */
export interface ChunkSum {
  load(chunk: Uint8Array): void
  add(chunk: Uint8Array): void
  subtract(chunk: Uint8Array): void
  store(chunk: Uint8Array): void
  /**
   * Stochastic rounding of `values * factor`, clipped to [-bound, bound], with 4 bytes of `draws` for each; a chunk at most.
   * Returns how many were clipped, or -1 if a value is not finite. The integers are the sum.
   */
  round(values: Float32Array, factor: number, bound: number, draws: Uint8Array): number
}

/** What one call of the cipher gives; sum and inputs together stay in the processor's cache. */
const CHUNK_BYTES = 65_536
/** Inputs of one sign that are added in one pass. */
const INPUTS = 4

export function chunkSum({ raw, arena }: Kernels, width: 32 | 64): ChunkSum {
  const exports = raw as KernelExports & MaskingExports
  const sum = arena.allocate(CHUNK_BYTES)
  const inputs = arena.allocate(INPUTS * CHUNK_BYTES)
  const rounded = arena.allocate(CHUNK_BYTES)
  const [plus, minus] =
    width === 32 ? [exports.addWords32, exports.subtractWords32] : [exports.addWords64, exports.subtractWords64]
  let view = arena.bytes(inputs, INPUTS * CHUNK_BYTES)
  let waiting = 0
  let length = 0
  let sign = 1

  /** Growth of the memory detaches a view. */
  function put(chunk: Uint8Array, place: number): void {
    if (chunk.length > CHUNK_BYTES) fail('internal', 'a chunk is longer than 64 KiB')
    if (view.length === 0) view = arena.bytes(inputs, INPUTS * CHUNK_BYTES)
    view.set(chunk, place * CHUNK_BYTES)
  }

  function flush(): void {
    if (width === 32 && waiting === INPUTS)
      (sign > 0 ? exports.addFour32 : exports.subtractFour32)(sum, inputs, CHUNK_BYTES, length)
    else for (let i = 0; i < waiting; i++) (sign > 0 ? plus : minus)(sum, inputs + i * CHUNK_BYTES, length)
    waiting = 0
  }

  function combine(chunk: Uint8Array, its: 1 | -1): void {
    if (waiting === INPUTS || (waiting > 0 && sign !== its)) flush()
    put(chunk, waiting++)
    length = chunk.length
    sign = its
  }

  function load(chunk: Uint8Array): void {
    waiting = 0
    arena.bytes(sum, chunk.length).set(chunk)
  }

  function round(values: Float32Array, factor: number, bound: number, draws: Uint8Array): number {
    const count = values.length
    waiting = 0
    put(draws, 0)
    arena.float32(rounded, count).set(values)
    // The kernel works on four at a time; what was there before might not be finite.
    arena.float32(rounded + 4 * count, -count & 3).fill(0)
    return exports.roundWords32(rounded, count, factor, bound, inputs, sum)
  }

  function store(chunk: Uint8Array): void {
    flush()
    chunk.set(arena.bytes(sum, chunk.length))
  }

  return { round, load, add: (chunk) => combine(chunk, 1), subtract: (chunk) => combine(chunk, -1), store }
}
