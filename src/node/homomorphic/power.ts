/**
 * Modular exponentiation by OpenSSL, through its Diffie-Hellman: base^exponent mod p is what a "shared secret" is, for any
 * odd p. It runs in constant time for the exponent, and six times faster than BigInt.
 */

import { createDiffieHellman, type DiffieHellman } from 'node:crypto'
import { type Power, plainPower, type PowerOf } from '../../privacy/homomorphic/numbers.ts'

/** Making one takes tens of milliseconds, since OpenSSL looks whether the modulus is prime. */
const made = new Map<bigint, Power>()
const KEPT_MAX = 8
const GENERATOR = Uint8Array.of(2)
/** OpenSSL takes no shorter ones. */
const MODULUS_BITS_MIN = 512n

export const opensslPower: PowerOf = (modulus) => {
  const known = made.get(modulus)
  if (known !== undefined) return known
  if (made.size >= KEPT_MAX) made.clear()
  const power = modulus >> (MODULUS_BITS_MIN - 1n) === 0n ? plainPower(modulus) : create(modulus)
  made.set(modulus, power)
  return power
}

const bufferOf = (value: bigint): Buffer => {
  const hex = value.toString(16)
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')
}

function create(modulus: bigint): Power {
  const group = createDiffieHellman(bufferOf(modulus), GENERATOR)
  const plain = plainPower(modulus)
  return (base, exponent) => {
    const reduced = base % modulus
    // OpenSSL refuses bases and results that would be no secret: 0, 1 and -1.
    if (reduced <= 1n || reduced >= modulus - 1n || exponent <= 1n) return plain(reduced, exponent)
    return raise(group, reduced, exponent) ?? plain(reduced, exponent)
  }
}

function raise(group: DiffieHellman, base: bigint, exponent: bigint): bigint | undefined {
  group.setPrivateKey(bufferOf(exponent))
  try {
    return BigInt(`0x${group.computeSecret(bufferOf(base)).toString('hex')}`)
  } catch {
    return undefined
  }
}
