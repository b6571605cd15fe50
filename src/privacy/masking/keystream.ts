/**
 * AES-CTR (NIST SP 800-38A) as a generator of pseudo-random bytes. Every bit of the output is used: a mask takes each
 * value of its modulus, the highest too.
 */

import { createCipheriv } from 'node:crypto'
import { fail } from '../../base/errors.ts'
import type { RandomBytes } from './field.ts'
import { deriveKey } from './keys.ts'

/** One call of OpenSSL: more would fall out of the processor's cache (and was measured to be six times slower). */
export const CHUNK_BYTES = 65_536
export const BLOCK_BYTES = 16

const ZEROS = new Uint8Array(CHUNK_BYTES)

export interface Keystream {
  /** The next bytes, at most {@link CHUNK_BYTES}; valid until the next call. */
  next(length: number): Uint8Array
}

/** The keystream of a 16-byte (AES-128) or 32-byte (AES-256) key from byte `offset`, a multiple of 16. */
export function keystream(key: Uint8Array, offset = 0): Keystream {
  if (offset % BLOCK_BYTES !== 0) fail('internal', `a keystream starts at a multiple of 16 bytes, not at ${offset}`)
  const counter = new Uint8Array(BLOCK_BYTES)
  new DataView(counter.buffer).setBigUint64(8, BigInt(offset / BLOCK_BYTES))
  const cipher = createCipheriv(key.length === 32 ? 'aes-256-ctr' : 'aes-128-ctr', key, counter)
  return { next: (length) => cipher.update(length === CHUNK_BYTES ? ZEROS : ZEROS.subarray(0, length)) }
}

/**
 * Random bytes out of a seed of 32 bytes that came with an event, so that a machine replays. Labels give streams that
 * have nothing to do with each other.
 */
export function seededBytes(seed: Uint8Array, label: string): RandomBytes {
  if (seed.length !== 32) fail('invalid-request', 'a seed has 32 random bytes')
  const stream = keystream(deriveKey(seed, new Uint8Array(), 'randomness', [label], 32))
  return (length) => {
    const bytes = new Uint8Array(length)
    for (let at = 0; at < length; at += CHUNK_BYTES) bytes.set(stream.next(Math.min(CHUNK_BYTES, length - at)), at)
    return bytes
  }
}

/** Uniform integer in [0, bound) by rejection; 1 <= bound <= 2^32. */
export function randomBelow(bound: number, random: RandomBytes): number {
  const limit = 2 ** 32 - (2 ** 32 % bound)
  for (;;) {
    const bytes = random(4)
    const draw = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0)
    if (draw < limit) return draw % bound
  }
}
