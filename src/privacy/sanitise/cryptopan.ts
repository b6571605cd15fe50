/**
 * Crypto-PAn: prefix-preserving pseudonyms of IP addresses (Xu, Fan, Ammar, Moon 2002, section 4). Two addresses that
 * share exactly their first k bits get pseudonyms that share exactly their first k bits; so networks stay networks.
 *
 * What an attacker still learns: the shape of the address space. Who can send one packet, or knows one host, knows the
 * pseudonyms of its prefixes (section 5 of the paper). Who holds the key can undo it.
 */

import { createCipheriv } from 'node:crypto'
import { fail } from '../../base/errors.ts'

/** Bits of an address, most significant word first: one word of IPv4, or four of IPv6. */
export type AddressBits = readonly number[]

export interface CryptoPan {
  pseudonym(bits: AddressBits): number[]
  /** Inverse of {@link CryptoPan.pseudonym}. */
  recover(bits: AddressBits): number[]
}

export const CRYPTO_PAN_KEY_BYTES = 32
const BLOCK = 16

/** @param key - 16 bytes of AES-128 key, then 16 bytes from which the padding is made, as in the reference program */
export function cryptoPan(key: Uint8Array): CryptoPan {
  if (key.length !== CRYPTO_PAN_KEY_BYTES) fail('internal', `a key of Crypto-PAn has ${CRYPTO_PAN_KEY_BYTES} bytes`)
  const cipher = createCipheriv('aes-128-ecb', key.subarray(0, BLOCK), null).setAutoPadding(false)
  const encrypt = (blocks: Uint8Array): Uint8Array => cipher.update(blocks)
  const pad = Uint8Array.from(encrypt(key.subarray(BLOCK)))
  const padWords = wordsOf(pad)

  /** f_i of the paper for every prefix length below `size` at once: bit i is the first bit of AES(prefix of i bits | pad). */
  function pseudonym(bits: AddressBits): number[] {
    const size = 32 * bits.length
    const blocks = new Uint8Array(size * BLOCK)
    const view = new DataView(blocks.buffer)
    for (let i = 0; i < size; i++) writePrefix(view, i * BLOCK, bits, i)
    const encrypted = encrypt(blocks)
    const out = [...bits]
    for (let i = 0; i < size; i++) flip(out, i, (encrypted[i * BLOCK] ?? 0) >>> 7)
    return out.map((word) => word >>> 0)
  }

  /** Bit i of the address needs the bits before it, so this is one block after the other. */
  function recover(bits: AddressBits): number[] {
    const out = [...bits]
    const block = new Uint8Array(BLOCK)
    const view = new DataView(block.buffer)
    for (let i = 0; i < 32 * bits.length; i++) {
      writePrefix(view, 0, out, i)
      flip(out, i, (encrypt(block)[0] ?? 0) >>> 7)
    }
    return out.map((word) => word >>> 0)
  }

  /** The first `length` bits of the address, and the padding from there on. */
  function writePrefix(view: DataView, offset: number, bits: AddressBits, length: number): void {
    for (let w = 0; w < 4; w++) {
      const taken = Math.min(32, Math.max(0, length - 32 * w))
      const mask = taken === 0 ? 0 : (-1 << (32 - taken)) >>> 0
      view.setUint32(offset + 4 * w, (((bits[w] ?? 0) & mask) | ((padWords[w] ?? 0) & ~mask)) >>> 0)
    }
  }

  return { pseudonym, recover }
}

function wordsOf(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return [0, 4, 8, 12].map((at) => view.getUint32(at))
}

function flip(words: number[], at: number, bit: number): void {
  const word = at >>> 5
  words[word] = (words[word] ?? 0) ^ (bit << (31 - (at & 31)))
}
