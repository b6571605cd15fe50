/** Large integers: bytes, random ones, inverses. BigInt takes as long as its operands say: never told to be constant-time. */

import { fail } from '../../base/errors.ts'
import type { RandomBytes } from './scheme.ts'

/** base^exponent mod the modulus that it was made for; 0 <= base, exponent. */
export type Power = (base: bigint, exponent: bigint) => bigint

/**
 * Makes the exponentiation of a modulus. The node hands in OpenSSL's, which is constant-time in the exponent and six
 * times faster than BigInt.
 */
export type PowerOf = (modulus: bigint) => Power

/** By squaring, on BigInt: the reference, and what tests use. Not for secret exponents. */
export const plainPower: PowerOf = (modulus) => (base, exponent) => {
  let result = 1n
  let square = base % modulus
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = (result * square) % modulus
    square = (square * square) % modulus
  }
  return result
}

const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Big-endian. */
export function bigOf(bytes: Uint8Array): bigint {
  let hex = '0x0'
  for (const byte of bytes) hex += DIGITS[byte]
  return BigInt(hex)
}

const nibble = (code: number): number => (code < 58 ? code - 48 : code - 87)

/** Big-endian, of exactly `length` bytes. */
export function bytesOf(value: bigint, length: number): Uint8Array {
  const hex = value.toString(16)
  const digits = hex.length % 2 === 0 ? hex : `0${hex}`
  const bytes = new Uint8Array(length)
  const offset = length - digits.length / 2
  if (value < 0n || offset < 0) fail('internal', `a number does not fit into ${length} bytes`)
  for (let i = 0; i < digits.length; i += 2)
    bytes[offset + i / 2] = (nibble(digits.charCodeAt(i)) << 4) | nibble(digits.charCodeAt(i + 1))
  return bytes
}

export const bitLength = (value: bigint): number => (value === 0n ? 0 : value.toString(2).length)

/** Uniform in [0, bound), by rejection. */
export function randomBelow(bound: bigint, random: RandomBytes): bigint {
  const bits = bitLength(bound - 1n)
  const length = Math.ceil(bits / 8)
  for (;;) {
    const drawn = bigOf(random(length)) >> BigInt(8 * length - bits)
    if (drawn < bound) return drawn
  }
}

export function gcd(a: bigint, b: bigint): bigint {
  let [x, y] = [a < 0n ? -a : a, b < 0n ? -b : b]
  while (y !== 0n) [x, y] = [y, x % y]
  return x
}

/** a^-1 mod m by the extended algorithm of Euclid; undefined when a and m have a common factor. */
export function inverse(a: bigint, m: bigint): bigint | undefined {
  let [r0, r1, s0, s1] = [((a % m) + m) % m, m, 1n, 0n]
  while (r1 !== 0n) {
    const quotient = r0 / r1
    ;[r0, r1, s0, s1] = [r1, r0 - quotient * r1, s1, s0 - quotient * s1]
  }
  return r0 === 1n ? ((s0 % m) + m) % m : undefined
}

/** Uniform among the units mod m, with overwhelming probability at the first draw. */
export function randomUnit(m: bigint, random: RandomBytes): bigint {
  for (;;) {
    const drawn = randomBelow(m, random)
    if (drawn > 1n && gcd(drawn, m) === 1n) return drawn
  }
}
