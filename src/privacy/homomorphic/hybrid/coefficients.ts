/** Numbers below q as bytes of fixed size, little-endian. Whoever sent them may be an attacker. */

import { malformed } from '../container.ts'

export function readCoefficient(from: Uint8Array, at: number, bytes: number): number {
  let value = 0
  for (let i = bytes - 1; i >= 0; i--) value = value * 256 + (from[at + i] as number)
  return value
}

export function writeCoefficient(into: Uint8Array, at: number, bytes: number, value: number): void {
  let rest = value
  for (let i = 0; i < bytes; i++) {
    const above = Math.floor(rest / 256)
    into[at + i] = rest - 256 * above
    rest = above
  }
}

interface Width {
  readonly q: number
  readonly bytes: number
}

/** @throws input-invalid for a coefficient of q or more */
export function requireCoefficients(cipher: Uint8Array, { q, bytes }: Width): void {
  for (let at = 0; at < cipher.length; at += bytes)
    if (readCoefficient(cipher, at, bytes) >= q) malformed('out-of-range', 'a coefficient is not below the modulus')
}

/** Sums mod q. @param ciphers of one length. @throws input-invalid */
export function addCoefficients(ciphers: readonly Uint8Array[], width: Width): Uint8Array {
  for (const cipher of ciphers) requireCoefficients(cipher, width)
  const { q, bytes } = width
  const total = new Uint8Array(ciphers[0]?.length ?? 0)
  for (let at = 0; at < total.length; at += bytes) {
    let sum = 0
    for (const cipher of ciphers) {
      sum += readCoefficient(cipher, at, bytes)
      if (sum >= q) sum -= q
    }
    writeCoefficient(total, at, bytes, sum)
  }
  return total
}
