/**
 * The random part of a ciphertext, h_s^r mod N^2 with a short r (Damgard, Jurik and Nielsen 2010): for many ciphertexts by a
 * fixed-base table, one product for each byte of the exponent; for few by exponentiation. Looking up a table in BigInt takes
 * time that depends on r: somebody who can time this process on its machine may learn r, and with it this organisation's own
 * integers. Keys are not involved.
 */

import { keystream } from '../../masking/keystream.ts'
import { bigOf, type Power } from '../numbers.ts'

const DIGITS = 256

export interface Randomiser {
  /** h_s^r for ciphertext number `i` under a seed of 32 bytes; each number has an r of its own. */
  element(seed: Uint8Array, i: number): bigint
}

const exponentBytes = (seed: Uint8Array, i: number, bytes: number): Uint8Array => keystream(seed, i * bytes).next(bytes)

/** The r of ciphertext number `i` under a seed. */
export const exponentOf = (seed: Uint8Array, i: number, exponentBits: number): bigint =>
  bigOf(exponentBytes(seed, i, exponentBits / 8).toReversed())

/** The same elements without a table, in constant time if `power` is. */
export function directRandomiser(base: bigint, exponentBits: number, power: Power): Randomiser {
  return { element: (seed, i) => power(base, exponentOf(seed, i, exponentBits)) }
}

/** @param base h_s; @param exponentBits a multiple of 128 */
export function createRandomiser(base: bigint, exponentBits: number, modulus: bigint): Randomiser {
  const bytes = exponentBits / 8
  const table = tableOf(base, bytes, modulus)
  return {
    element(seed, i) {
      const exponent = exponentBytes(seed, i, bytes)
      let product = 1n
      for (let position = 0; position < bytes; position++) {
        const digit = exponent[position] ?? 0
        if (digit > 0) product = (product * (table[position * DIGITS + digit] ?? 1n)) % modulus
      }
      return product
    },
  }
}

/** table[position * 256 + digit] = base^(digit 256^position). */
function tableOf(base: bigint, positions: number, modulus: bigint): bigint[] {
  const table: bigint[] = []
  let step = base
  for (let position = 0; position < positions; position++) {
    let power = 1n
    for (let digit = 0; digit < DIGITS; digit++) {
      table.push(power)
      power = (power * step) % modulus
    }
    step = power
  }
  return table
}
