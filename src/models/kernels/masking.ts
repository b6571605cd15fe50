/** Masked integers, chunk by chunk, in SIMD: the rounding and the sums that secure aggregation asks for. */

import { fail } from '../../base/errors.ts'
import type { KernelExports } from './exports.ts'
import type { Kernels } from './kernels.ts'

/** See assembly/masking.ts. */
export interface MaskingExports {
  addWords32(sum: number, x: number, bytes: number): void
  subtractWords32(sum: number, x: number, bytes: number): void
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
   * Returns how many were clipped, or -1 if a value is not finite. Takes the place of the sum.
   */
  round(values: Float32Array, factor: number, bound: number, draws: Uint8Array, out: Int32Array): number
}

/** What one call of the cipher gives; sum and input together stay in the processor's cache. */
const CHUNK_BYTES = 65_536

export function chunkSum({ raw, arena }: Kernels, width: 32 | 64): ChunkSum {
  const exports = raw as KernelExports & MaskingExports
  const [plus, minus] =
    width === 32 ? [exports.addWords32, exports.subtractWords32] : [exports.addWords64, exports.subtractWords64]
  const sum = arena.allocate(CHUNK_BYTES)
  const input = arena.allocate(CHUNK_BYTES)
  const rounded = arena.allocate(CHUNK_BYTES)
  let view = arena.bytes(input, CHUNK_BYTES)

  /** Growth of the memory detaches a view. */
  function put(chunk: Uint8Array): void {
    if (chunk.length > CHUNK_BYTES) fail('internal', 'a chunk is longer than 64 KiB')
    if (view.length === 0) view = arena.bytes(input, CHUNK_BYTES)
    view.set(chunk)
  }

  function add(chunk: Uint8Array): void {
    put(chunk)
    plus(sum, input, chunk.length)
  }

  function subtract(chunk: Uint8Array): void {
    put(chunk)
    minus(sum, input, chunk.length)
  }

  function round(values: Float32Array, factor: number, bound: number, draws: Uint8Array, out: Int32Array): number {
    const { length } = values
    put(draws)
    const at = rounded
    arena.float32(at, length).set(values)
    // The kernel works on four at a time; what was there before might not be finite.
    arena.float32(at + 4 * length, -length & 3).fill(0)
    const clipped = exports.roundWords32(at, length, factor, bound, input, sum)
    out.set(new Int32Array(arena.bytes(sum, 4 * length).buffer, sum, length))
    return clipped
  }

  return {
    round,
    load: (chunk) => arena.bytes(sum, chunk.length).set(chunk),
    add,
    subtract,
    store: (chunk) => chunk.set(arena.bytes(sum, chunk.length)),
  }
}
