/** Numbers below q as bytes of fixed size, 4 to 7, little-endian. Whoever sent them may be an attacker. */

import { malformed } from '../container.ts'
import { reduce } from './modulus.ts'

const WORD = 2 ** 32

export const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength)

export function readCoefficient(from: DataView, at: number, bytes: number): number {
  let high = 0
  for (let i = bytes - 1; i >= 4; i--) high = high * 256 + from.getUint8(at + i)
  return high * WORD + from.getUint32(at, true)
}

export function writeCoefficient(into: DataView, at: number, bytes: number, value: number): void {
  let high = Math.floor(value / WORD)
  into.setUint32(at, value - high * WORD, true)
  for (let i = 4; i < bytes; i++) {
    into.setUint8(at + i, high % 256)
    high = Math.floor(high / 256)
  }
}

interface Width {
  readonly q: number
  readonly bytes: number
}

/** @throws input-invalid for a coefficient of q or more */
export function requireCoefficients(cipher: Uint8Array, { q, bytes }: Width): void {
  const view = viewOf(cipher)
  for (let at = 0; at < cipher.length; at += bytes)
    if (readCoefficient(view, at, bytes) >= q) malformed('out-of-range', 'a coefficient is not below the modulus')
}

/** Sums mod q. @param ciphers of one length. @throws input-invalid */
export function addCoefficients(ciphers: readonly Uint8Array[], { q, bytes }: Width): Uint8Array {
  const total = new Uint8Array(ciphers[0]?.length ?? 0)
  const sums = new Float64Array(total.length / bytes)
  // Reduced only as often as float64 stays exact: whether one addition wraps is a coin, which processors predict badly.
  const atOnce = Math.floor(2 ** 53 / q) - 1
  const reduceAll = (): void => {
    for (let i = 0; i < sums.length; i++) sums[i] = reduce(sums[i] as number, q, 1 / q)
  }
  ciphers.forEach((cipher, number) => {
    requireCoefficients(cipher, { q, bytes })
    const view = viewOf(cipher)
    for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] as number) + readCoefficient(view, i * bytes, bytes)
    if ((number + 1) % atOnce === 0) reduceAll()
  })
  reduceAll()
  const view = viewOf(total)
  for (let i = 0; i < sums.length; i++) writeCoefficient(view, i * bytes, bytes, sums[i] as number)
  return total
}
