/**
 * Many small integers in one plaintext. A value v in [-levels, levels] is stored as v + levels, so that slots never borrow
 * from each other; a slot has head-room for the sum of all contributions. Slots are whole hexadecimal digits.
 */

import { fail } from '../../base/errors.ts'
import { type Scale, signedIntegers } from '../masking/quantise.ts'
import type { ValueBounds } from './scheme.ts'

export interface Packing extends ValueBounds {
  readonly slotBits: number
  readonly perPlaintext: number
}

/** 16 bits and their sign. */
export const DEFAULT_LEVELS = 2 ** 15 - 1
export const CONTRIBUTIONS_MAX = 4096

/** @throws invalid-request when sums would not fit into 31 bits, or no slot into a plaintext of so many bits */
export function packingFor(plaintextBits: number, { levels, contributionsMax }: ValueBounds): Packing {
  const counts = [levels, contributionsMax].every((count) => Number.isSafeInteger(count) && count >= 1)
  if (!counts || contributionsMax > CONTRIBUTIONS_MAX || levels * contributionsMax > 2 ** 31 - 1)
    fail('invalid-request', 'levels times contributions must stay below 2^31')
  const slotBits = 4 * Math.ceil((2 * levels * contributionsMax).toString(2).length / 4)
  const perPlaintext = Math.floor(plaintextBits / slotBits)
  if (perPlaintext < 1) fail('invalid-request', `a slot of ${slotBits} bits does not fit into ${plaintextBits}`)
  return { levels, contributionsMax, slotBits, perPlaintext }
}

export const plaintextsFor = (length: number, { perPlaintext }: Packing): number => Math.ceil(length / perPlaintext)

/** One plaintext; the first value is in the lowest slot. @throws wrong-shape for a value beyond `levels` */
export function pack(values: Int32Array, { levels, slotBits }: Packing): bigint {
  let hex = ''
  for (let i = values.length - 1; i >= 0; i--) {
    const value = values[i] ?? 0
    if (value > levels || value < -levels) fail('wrong-shape', `a value is not an integer of at most ${levels}`)
    hex += (value + levels).toString(16).padStart(slotBits / 4, '0')
  }
  return BigInt(`0x${hex}`)
}

/**
 * The sums in one plaintext of `contributions` summed ones.
 * @returns false if some slot is more than so many honest values can add up to
 */
export function unpack(plaintext: bigint, into: Int32Array, contributions: number, packing: Packing): boolean {
  const { levels, slotBits } = packing
  const digits = slotBits / 4
  const hex = plaintext.toString(16).padStart(digits * into.length, '0')
  if (hex.length > digits * into.length) return false
  for (let i = 0; i < into.length; i++) {
    const end = hex.length - digits * i
    const slot = Number.parseInt(hex.slice(end - digits, end), 16)
    if (slot > 2 * levels * contributions) return false
    into[i] = slot - levels * contributions
  }
  return true
}

/** How updates become the integers of these bounds: for `quantise` of masking, which multiplies by the weight. */
export function scaleOf({ levels }: ValueBounds, clip: number, weightMax: number): Scale {
  if (!(clip > 0 && clip < Number.MAX_VALUE)) fail('invalid-request', 'the clip bound is a positive number')
  return { width: 32, levels, clip, weightMax }
}

/** The integers of `quantise` as they are encrypted. */
export function integersOf(words: Uint8Array): Int32Array {
  return Int32Array.from(signedIntegers(words, 32))
}

/** The weighted mean behind opened sums: sum_i weight_i x_i / totalWeight. @throws nothing-to-aggregate */
export function meanOf(sums: Float64Array, totalWeight: number, scale: Scale): Float32Array {
  if (!(totalWeight > 0)) fail('nothing-to-aggregate', 'the total weight of the round is zero')
  const factor = (scale.clip / scale.levels) * (scale.weightMax / totalWeight)
  return Float32Array.from(sums, (sum) => sum * factor)
}
