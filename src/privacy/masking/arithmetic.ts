/** Addition mod 2^32 or 2^64 over chunks of at most 64 KiB: here in plain loops; the kernels do the same in SIMD. */

import { CHUNK_BYTES } from './keystream.ts'

/** Bits of one masked integer. */
export type Width = 32 | 64

/** One chunk of a sum, to which other chunks of the same length are added. Bytes are little-endian integers. */
export interface MaskArithmetic {
  load(chunk: Uint8Array): void
  add(chunk: Uint8Array): void
  subtract(chunk: Uint8Array): void
  store(chunk: Uint8Array): void
  /** Rounds in 32 bits as {@link roundWords} does, and keeps the integers as the sum; absent where there is nothing faster. */
  readonly round?: RoundChunk
}

/**
 * sum[i] = values[i] * factor in float64, clipped to [-bound, bound], rounded up where the i-th draw, an unsigned integer of
 * 32 bits, lies below 2^32 times the fraction, and down elsewhere.
 * @param draws 4 bytes for each value, of which there are as many as a chunk holds at most
 * @returns how many were clipped; -1 if a value is not finite
 */
export type RoundChunk = (values: Float32Array, factor: number, bound: number, draws: Uint8Array) => number

type Words = Uint32Array | BigUint64Array

export function plainArithmetic(width: Width): MaskArithmetic {
  const sum = new Uint8Array(CHUNK_BYTES)
  const input = new Uint8Array(CHUNK_BYTES)
  const words = (bytes: Uint8Array, length: number): Words =>
    width === 32 ? new Uint32Array(bytes.buffer, 0, length / 4) : new BigUint64Array(bytes.buffer, 0, length / 8)
  const combine = (sign: 1 | -1, chunk: Uint8Array): void => {
    input.set(chunk)
    combineWords(words(sum, chunk.length), words(input, chunk.length), sign)
  }
  return {
    load: (chunk) => sum.set(chunk),
    add: (chunk) => combine(1, chunk),
    subtract: (chunk) => combine(-1, chunk),
    store: (chunk) => chunk.set(sum.subarray(0, chunk.length)),
  }
}

/** Typed arrays wrap by themselves. */
function combineWords(sum: Words, other: Words, sign: 1 | -1): void {
  if (sum instanceof Uint32Array && other instanceof Uint32Array)
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + sign * (other[i] ?? 0)
  else if (sum instanceof BigUint64Array && other instanceof BigUint64Array)
    for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0n) + BigInt(sign) * (other[i] ?? 0n)
}

/** {@link RoundChunk} in a plain loop and into an array, for integers of up to 53 bits too. */
export function roundWords(
  values: Float32Array,
  factor: number,
  bound: number,
  draws: Uint8Array,
  out: Int32Array | Float64Array,
): number {
  const lots = uint32s(draws)
  let clipped = 0
  for (let i = 0; i < values.length; i++) {
    let value = (values[i] ?? 0) * factor
    // NaN fails both comparisons.
    if (!(value <= bound && value >= -bound)) {
      if (!Number.isFinite(value)) return -1
      value = value > 0 ? bound : -bound
      clipped++
    }
    const floor = Math.floor(value)
    out[i] = (lots[i] ?? 0) < (value - floor) * 4294967296 ? floor + 1 : floor
  }
  return clipped
}

function uint32s(bytes: Uint8Array): Uint32Array {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice()
  return new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length / 4)
}
