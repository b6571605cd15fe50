/** Elements of (Z / N^2)* as bytes of fixed size. Whoever sent them may be an attacker. */

import { malformed } from '../container.ts'
import { bigOf, bytesOf, gcd } from '../numbers.ts'
import type { PaillierKey } from './parameters.ts'

/** @throws input-invalid for another length, for 0, for what is not below N^2 or shares a factor with N */
export function readElements(bytes: Uint8Array, { n, nSquared, elementBytes }: PaillierKey): bigint[] {
  if (bytes.length === 0 || bytes.length % elementBytes !== 0)
    malformed('wrong-length', `ciphertexts have ${elementBytes} bytes each`)
  const elements: bigint[] = []
  // Units are closed under multiplication: one gcd for all of them.
  let product = 1n
  for (let at = 0; at < bytes.length; at += elementBytes) {
    const element = bigOf(bytes.subarray(at, at + elementBytes))
    if (element === 0n || element >= nSquared) malformed('out-of-range', 'a ciphertext is not between 1 and N^2 - 1')
    product = (product * element) % n
    elements.push(element)
  }
  if (gcd(product, n) !== 1n) malformed('not-coprime', 'a ciphertext has a factor in common with N')
  return elements
}

export function writeElements(elements: readonly bigint[], { elementBytes }: PaillierKey): Uint8Array {
  const bytes = new Uint8Array(elements.length * elementBytes)
  elements.forEach((element, i) => bytes.set(bytesOf(element, elementBytes), i * elementBytes))
  return bytes
}
