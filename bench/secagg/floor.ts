/**
 * The primitive floor: the keystream bytes that the masks are made of, and as many additions as there are masks and
 * vectors, each by itself, with nothing around them.
 */

import { createCipheriv } from 'node:crypto'
import type { MaskArithmetic } from '../../src/privacy/masking/arithmetic.ts'
import { release } from '../../src/base/release.ts'

const CHUNK = 65_536
const ZEROS = new Uint8Array(CHUNK)
const KEY = new Uint8Array(16).fill(5)

export function floor(masks: number, vectors: readonly Uint8Array[], arithmetic: MaskArithmetic): void {
  const bytes = vectors[0]?.length ?? 0
  keystreams(masks, bytes)
  const chunk = new Uint8Array(CHUNK)
  for (let at = 0; at < bytes; at += CHUNK) {
    const length = Math.min(CHUNK, bytes - at)
    const part = chunk.subarray(0, length)
    arithmetic.load(part)
    for (let i = 0; i < masks; i++) arithmetic.add(part)
    for (const vector of vectors) arithmetic.add(vector.subarray(at, at + length))
    arithmetic.store(part)
  }
}

export function keystreams(masks: number, bytes: number): void {
  for (let i = 0; i < masks; i++) {
    const cipher = createCipheriv('aes-128-ctr', KEY, new Uint8Array(16))
    for (let at = 0; at < bytes; at += CHUNK)
      release(cipher.update(bytes - at >= CHUNK ? ZEROS : ZEROS.subarray(0, bytes - at)))
  }
}
