/**
 * FF1, format-preserving encryption of numeral strings: NIST SP 800-38G, Algorithms 7 (FF1.Encrypt) and 8 (FF1.Decrypt).
 * The domain is at least a million values, as Revision 1 of the standard asks: in a smaller one an attacker who sees some
 * pairs knows the rest. It is encryption: who holds the key undoes it.
 */

import { createCipheriv } from 'node:crypto'
import { concatBytes } from '../../base/bytes.ts'
import { fail } from '../../base/errors.ts'

export interface Ff1 {
  readonly radix: number
  /** Numerals in, as many numerals out. @throws internal for numerals out of range or too small a domain */
  encrypt(numerals: readonly number[], tweak?: Uint8Array): number[]
  /** Inverse of {@link Ff1.encrypt} under the same tweak. */
  decrypt(numerals: readonly number[], tweak?: Uint8Array): number[]
}

const ROUNDS = 10
const BLOCK = 16
const DOMAIN_MIN = 1_000_000
const LENGTH_MAX = 4096

/** @param key - of AES-128, 192 or 256 @param radix - 2 to 65,536 */
export function ff1(key: Uint8Array, radix: number): Ff1 {
  if (!Number.isInteger(radix) || radix < 2 || radix > 65_536) fail('internal', `FF1 has no radix ${radix}`)
  const cipher = createCipheriv(cipherOf(key), key, null).setAutoPadding(false)
  const base = BigInt(radix)

  /** PRF of section 4: CBC-MAC of whole blocks. */
  function prf(message: Uint8Array): Uint8Array {
    let state = new Uint8Array(BLOCK)
    for (let at = 0; at < message.length; at += BLOCK)
      state = Uint8Array.from(cipher.update(state.map((byte, i) => byte ^ (message[at + i] ?? 0))))
    return state
  }

  /** Steps 6.ii and 6.iii: `length` bytes from R, and as many further blocks as that needs. */
  function stretch(r: Uint8Array, length: number): Uint8Array {
    const blocks = [r]
    for (let j = 1; j * BLOCK < length; j++)
      blocks.push(Uint8Array.from(cipher.update(r.map((byte, i) => byte ^ (counter(j)[i] ?? 0)))))
    return concatBytes(...blocks).subarray(0, length)
  }

  function run(numerals: readonly number[], tweak: Uint8Array, forward: boolean): number[] {
    const n = numerals.length
    check(numerals, radix)
    const u = n >> 1
    const v = n - u
    const b = Math.ceil(Math.ceil(v * Math.log2(radix)) / 8)
    const d = 4 * Math.ceil(b / 4) + 4
    const p = firstBlock(radix, u, n, tweak.length)
    const moduli = [base ** BigInt(u), base ** BigInt(v)] as const
    const padding = new Uint8Array((((-tweak.length - b - 1) % BLOCK) + BLOCK) % BLOCK)
    let [left, right] = [numberOf(numerals.slice(0, u), base), numberOf(numerals.slice(u), base)]
    for (let step = 0; step < ROUNDS; step++) {
      const i = forward ? step : ROUNDS - 1 - step
      const modulus = moduli[i % 2 === 0 ? 0 : 1]
      const half = bytesOf(forward ? right : left, b)
      const y = numberOfBytes(stretch(prf(concatBytes(p, tweak, padding, Uint8Array.of(i), half)), d))
      if (forward) [left, right] = [right, mod(left + y, modulus)]
      else [left, right] = [mod(right - y, modulus), left]
    }
    return [...numeralsOf(left, base, u), ...numeralsOf(right, base, v)]
  }

  return {
    radix,
    encrypt: (numerals, tweak = new Uint8Array()) => run(numerals, tweak, true),
    decrypt: (numerals, tweak = new Uint8Array()) => run(numerals, tweak, false),
  }
}

function cipherOf({ length }: Uint8Array): 'aes-128-ecb' | 'aes-192-ecb' | 'aes-256-ecb' {
  const name = ({ 16: 'aes-128-ecb', 24: 'aes-192-ecb', 32: 'aes-256-ecb' } as const)[length]
  return name ?? fail('internal', `AES has no key of ${length} bytes`)
}

function check(numerals: readonly number[], radix: number): void {
  if (numerals.length < 2 || numerals.length > LENGTH_MAX || radix ** numerals.length < DOMAIN_MIN)
    fail('internal', `FF1 takes strings of at least ${DOMAIN_MIN} values, and up to ${LENGTH_MAX} numerals`)
  if (!numerals.every((numeral) => Number.isInteger(numeral) && numeral >= 0 && numeral < radix))
    fail('internal', `a numeral is not below the radix ${radix}`)
}

/** Step 5. */
function firstBlock(radix: number, u: number, n: number, tweakLength: number): Uint8Array {
  const p = new Uint8Array(BLOCK)
  const view = new DataView(p.buffer)
  p.set([1, 2, 1, radix >>> 16])
  view.setUint16(4, radix & 0xffff)
  p.set([ROUNDS, u & 255], 6)
  view.setUint32(8, n)
  view.setUint32(12, tweakLength)
  return p
}

function counter(j: number): Uint8Array {
  const block = new Uint8Array(BLOCK)
  new DataView(block.buffer).setUint32(12, j)
  return block
}

const mod = (x: bigint, modulus: bigint): bigint => ((x % modulus) + modulus) % modulus

const numberOf = (numerals: readonly number[], base: bigint): bigint =>
  numerals.reduce((x, numeral) => x * base + BigInt(numeral), 0n)

function numeralsOf(value: bigint, base: bigint, length: number): number[] {
  const numerals = new Array<number>(length)
  let x = value
  for (let i = length - 1; i >= 0; i--) {
    numerals[i] = Number(x % base)
    x /= base
  }
  return numerals
}

const numberOfBytes = (bytes: Uint8Array): bigint => bytes.reduce((x, byte) => (x << 8n) | BigInt(byte), 0n)

function bytesOf(value: bigint, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let x = value
  for (let i = length - 1; i >= 0; i--) {
    bytes[i] = Number(x & 255n)
    x >>= 8n
  }
  return bytes
}
