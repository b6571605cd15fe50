/**
 * Masks on and off a vector of integers mod 2^32 or 2^64, in bounded memory: chunk by chunk, and any range of the vector
 * by itself, so that several threads, or a hub that streams, take a part each.
 */

import { fail } from '../../base/errors.ts'
import { release } from '../../base/release.ts'
import type { MaskArithmetic, Width } from './arithmetic.ts'
import { BLOCK_BYTES, CHUNK_BYTES, type Keystream, keystream } from './keystream.ts'
import { SEED_BYTES } from './keys.ts'

/** A pseudo-random vector, PRG(seed), that is added or subtracted. The seed is a secret. */
export interface Mask {
  readonly seed: Uint8Array
  readonly sign: 1 | -1
}

/** Open ciphers at a time; their state is small, but a thousand organisations have tens of thousands of masks. */
const GROUP = 64

/** Makes a chunk's integers the sum that masks are added to. `at`: byte of the words that it begins with. */
export type Begin = (chunk: Uint8Array, at: number) => void

/**
 * Adds masks to the part of a vector that begins at byte `offset` of the whole.
 * @param words bytes of little-endian integers, changed in place; from `offset`, a multiple of 16 bytes
 * @param begin whence the integers come, if not from `words`: made chunk by chunk, they are still in the processor's cache
 */
export function applyMasks(
  words: Uint8Array,
  masks: readonly Mask[],
  arithmetic: MaskArithmetic,
  offset = 0,
  begin: Begin = arithmetic.load,
): void {
  // Those of one sign in a row: several of them are added in one pass.
  const ordered = [...masks].sort((a, b) => b.sign - a.sign)
  let first = 0
  do {
    const group = ordered.slice(first, first + GROUP).map(({ seed, sign }) => ({ sign, stream: open(seed, offset) }))
    const start = first === 0 ? begin : arithmetic.load
    forEachChunk(words, (chunk, at) => {
      start(chunk, at)
      addGroup(chunk.length, group, arithmetic)
      arithmetic.store(chunk)
    })
    first += GROUP
  } while (first < masks.length)
}

function open(seed: Uint8Array, offset: number): Keystream {
  if (seed.length !== SEED_BYTES) fail('internal', `the seed of a mask has ${SEED_BYTES} bytes, not ${seed.length}`)
  return keystream(seed, offset)
}

function addGroup(
  length: number,
  group: readonly { readonly sign: 1 | -1; readonly stream: Keystream }[],
  arithmetic: MaskArithmetic,
): void {
  for (const { sign, stream } of group) {
    const bytes = stream.next(length)
    if (sign === 1) arithmetic.add(bytes)
    else arithmetic.subtract(bytes)
    release(bytes)
  }
}

/**
 * A beginning with the sum of vectors, or of the same range of each.
 * @param length - of each, in bytes
 * @throws wrong-shape for a vector of another length
 */
export function sumOf(
  [first = new Uint8Array(), ...others]: readonly Uint8Array[],
  length: number,
  arithmetic: MaskArithmetic,
): Begin {
  for (const vector of [first, ...others])
    if (vector.length !== length)
      fail('wrong-shape', `a masked vector has ${vector.length} bytes where ${length} are due`)
  return (chunk, at) => {
    const part = (vector: Uint8Array): Uint8Array => vector.subarray(at, at + chunk.length)
    arithmetic.load(part(first))
    for (const vector of others) arithmetic.add(part(vector))
  }
}

/** Adds vectors, or the same range of each, to `sum`. @throws wrong-shape for a vector of another length */
export function addVectors(sum: Uint8Array, vectors: readonly Uint8Array[], arithmetic: MaskArithmetic): void {
  applyMasks(sum, [], arithmetic, 0, sumOf([sum, ...vectors], sum.length, arithmetic))
}

function forEachChunk(bytes: Uint8Array, work: (chunk: Uint8Array, at: number) => void): void {
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) work(bytes.subarray(at, at + CHUNK_BYTES), at)
}

/** A range of a vector, in bytes. */
export interface ByteRange {
  readonly from: number
  readonly length: number
}

/** Splits a vector into `parts` ranges that a keystream can begin at; some are empty when it is short. */
export function splitRange(elements: number, width: Width, parts: number): ByteRange[] {
  const bytes = (elements * width) / 8
  const step = Math.ceil(bytes / parts / BLOCK_BYTES) * BLOCK_BYTES
  return Array.from({ length: parts }, (_, i) => {
    const from = Math.min(i * step, bytes)
    return { from, length: Math.min(step, bytes - from) }
  })
}
