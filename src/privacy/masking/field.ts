/** A prime field whose elements are bigints in [0, prime), and their one spelling as bytes. */

import { fail } from '../../base/errors.ts'

export interface Field {
  readonly prime: bigint
}

/** The largest prime below 2^256: secrets of 255 bits and shares of 32 bytes fit. */
export const SHARE_FIELD: Field = { prime: 2n ** 256n - 189n }

export const ELEMENT_BYTES = 32
/** Wider than the field by 128 bits, so that a reduction is uniform up to 2^-128. */
const WIDE_BYTES = 48

export function modulo(value: bigint, { prime }: Field): bigint {
  const rest = value % prime
  return rest < 0n ? rest + prime : rest
}

/** 1/1 .. 1/count, as `[0, 1/1, 1/2, ...]`; count is less than the prime. */
export function inversesUpTo(count: number, { prime }: Field): bigint[] {
  const inverses = [0n, 1n]
  for (let i = 2; i <= count; i++) {
    const quotient = prime / BigInt(i)
    const rest = Number(prime % BigInt(i))
    inverses.push(((prime - quotient) * (inverses[rest] ?? 0n)) % prime)
  }
  return inverses
}

function bigEndian(bytes: Uint8Array): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let value = 0n
  for (let at = 0; at < bytes.length; at += 8) value = (value << 64n) | view.getBigUint64(at)
  return value
}

/** 32 bytes, big-endian. */
export function encodeElement(value: bigint): Uint8Array {
  const view = new DataView(new ArrayBuffer(ELEMENT_BYTES))
  for (let at = 0; at < ELEMENT_BYTES; at += 8)
    view.setBigUint64(at, BigInt.asUintN(64, value >> BigInt(8 * (ELEMENT_BYTES - 8 - at))))
  return new Uint8Array(view.buffer)
}

/** Inverse of {@link encodeElement}. @throws invalid-request for another length, or a second spelling of an element */
export function decodeElement(bytes: Uint8Array): bigint {
  if (bytes.length !== ELEMENT_BYTES) fail('invalid-request', `a share has ${ELEMENT_BYTES} bytes, not ${bytes.length}`)
  const value = bigEndian(bytes)
  if (value >= SHARE_FIELD.prime) fail('invalid-request', 'a share is not an element of the field')
  return value
}

/** Gives `length` bytes that nobody else can guess. */
export type RandomBytes = (length: number) => Uint8Array

/** A uniform element of a field of at most 256 bits. */
export function randomElement(random: RandomBytes, field: Field): bigint {
  return modulo(bigEndian(random(WIDE_BYTES)), field)
}
