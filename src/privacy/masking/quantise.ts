/**
 * Updates as integers mod 2^b, such that the sum of all of them cannot wrap.
 *
 * With n participants, each integer lies in [-levels, levels] with n * levels <= 2^31 - 1 (b = 32). The sum then lies in
 * [-(2^31 - 1), 2^31 - 1] and is read back from its residue without doubt. b = 32 leaves 24 bits and a sign of resolution
 * at n = 100 and 21 at n = 1000, finer than the float32 of the update over [-clip, clip] needs; where fewer than 16
 * would remain (n > 65,535), b = 64 with n * levels <= 2^53 - 1, so that the sum is exact as a double too.
 *
 * Updates with noise are on a grid of their own, and no coordinate is larger than a bound that is known; they keep it.
 *
 * Weights are part of the value: x * weight / weightMax, with the largest weight of the roster, which everybody signed.
 */

import { fail } from '../../base/errors.ts'
import { roundWords, type Width } from './arithmetic.ts'
import { release } from '../../base/release.ts'
import { CHUNK_BYTES, type Keystream } from './keystream.ts'

export interface Scale {
  readonly width: Width
  /** The largest absolute value of a quantised coordinate. */
  readonly levels: number
  /** The largest absolute value of a coordinate before quantisation; what is larger is clipped. */
  readonly clip: number
  /** The largest weight of the roster. */
  readonly weightMax: number
}

const LEVELS_MIN = 2 ** 16
const SUM_MAX = { 32: 2 ** 31 - 1, 64: Number.MAX_SAFE_INTEGER } as const

/**
 * The scale for a sum of up to `participants` vectors.
 * @param fixed levels of updates that are on a grid already, whole multiples of clip / fixed: they stay as they are
 * @throws invalid-request if sums on that grid could wrap
 */
export function scaleFor(participants: number, clip: number, weightMax: number, fixed?: number): Scale {
  if (!(clip > 0 && clip < Number.MAX_VALUE)) fail('invalid-request', 'the clip bound is a positive number')
  if (fixed !== undefined) return { width: widthFor(participants * fixed), levels: fixed, clip, weightMax }
  const levels = Math.floor(SUM_MAX[32] / participants)
  if (levels >= LEVELS_MIN) return { width: 32, levels, clip, weightMax }
  return { width: 64, levels: Math.floor(SUM_MAX[64] / participants), clip, weightMax }
}

function widthFor(largestSum: number): Width {
  if (largestSum <= SUM_MAX[32]) return 32
  return largestSum <= SUM_MAX[64] ? 64 : fail('invalid-request', 'sums on this grid could wrap')
}

/** Of the randomness, for each coordinate. */
export const ROUNDING_BYTES = 4

export interface Quantised {
  /** Little-endian integers of `scale.width` bits, two's complement. */
  readonly words: Uint8Array
  /** Coordinates beyond the clip bound. */
  readonly clipped: number
}

/** By what an update is multiplied, and the largest absolute value that is left of it. */
export interface Rounding {
  readonly factor: number
  readonly bound: number
}

/** @throws sample-count-invalid */
export function roundingOf(weight: number, { levels, clip, weightMax }: Scale): Rounding {
  if (!(Number.isSafeInteger(weight) && weight >= 1 && weight <= weightMax))
    fail('sample-count-invalid', `a weight is an integer from 1 to ${weightMax}`)
  return { factor: (levels / clip) * (weight / weightMax), bound: levels * (weight / weightMax) }
}

/** What a rounding says of its values: how many were clipped. @throws not-finite for -1 */
export function clippedOf(rounded: number): number {
  return rounded < 0 ? fail('not-finite', 'an update holds a value that is NaN or infinite') : rounded
}

/**
 * Stochastic rounding (as in Bonawitz et al. 2019, "Federated learning with autotuned communication-efficient secure
 * aggregation", section 3): rounds up with the probability of the fraction, so that the expected value is the value.
 * @param randomness {@link ROUNDING_BYTES} of it are used for each coordinate
 * @throws not-finite, sample-count-invalid
 */
export function quantise(update: Float32Array, weight: number, scale: Scale, randomness: Keystream): Quantised {
  const { width } = scale
  const { factor, bound } = roundingOf(weight, scale)
  const words = new Uint8Array((update.length * width) / 8)
  const perChunk = CHUNK_BYTES / ROUNDING_BYTES
  let clipped = 0
  for (let first = 0; first < update.length; first += perChunk) {
    const part = update.subarray(first, first + perChunk)
    const draws = randomness.next(ROUNDING_BYTES * part.length)
    const beyond =
      width === 32
        ? roundWords(part, factor, bound, draws, new Int32Array(words.buffer, 4 * first, part.length))
        : roundLongs(part, factor, bound, draws, new BigInt64Array(words.buffer, 8 * first, part.length))
    clipped += clippedOf(beyond)
    release(draws)
  }
  return { words, clipped }
}

function roundLongs(
  values: Float32Array,
  factor: number,
  bound: number,
  draws: Uint8Array,
  out: BigInt64Array,
): number {
  const rounded = new Float64Array(values.length)
  const clipped = roundWords(values, factor, bound, draws, rounded)
  if (clipped >= 0) out.set(Array.from(rounded, BigInt))
  return clipped
}

/** The signed integers of a sum. */
export function signedIntegers(words: Uint8Array, width: Width): Float64Array {
  const aligned = words.byteOffset % 8 === 0 ? words : words.slice()
  const { buffer, byteOffset, length } = aligned
  if (width === 32) return Float64Array.from(new Int32Array(buffer, byteOffset, length / 4))
  return Float64Array.from(new BigInt64Array(buffer, byteOffset, length / 8), Number)
}

/**
 * The weighted mean of the updates behind a sum: sum_i weight_i x_i / totalWeight.
 * @throws nothing-to-aggregate when nobody weighs anything
 */
export function dequantiseMean(words: Uint8Array, totalWeight: number, scale: Scale): Float32Array {
  if (!(totalWeight > 0)) fail('nothing-to-aggregate', 'the total weight of the round is zero')
  const factor = (scale.clip / scale.levels) * (scale.weightMax / totalWeight)
  return Float32Array.from(signedIntegers(words, scale.width), (value) => value * factor)
}
