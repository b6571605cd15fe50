/** Noise on a sum that is written piece by piece: the same, however long the pieces are. */

import type { RandomBytes } from './bits.ts'
import type { NoiseTable } from './table.ts'

/** Coordinates that are drawn at a time. */
const BLOCK = 1024

/**
 * Adds draws to little-endian integers of `width` bits, mod 2^width, in place; called with one piece of the sum after the
 * other, from the first coordinate on.
 * @param random is read for this alone
 */
export function sumNoise(table: NoiseTable, random: RandomBytes, width: 32 | 64): (words: Uint8Array) => void {
  const block = new Int32Array(BLOCK)
  let at = BLOCK
  const next = (): number => {
    if (at === BLOCK) {
      table.draw(block, random)
      at = 0
    }
    const drawn = block[at] as number
    block[at++] = 0
    return drawn
  }
  return ({ buffer, byteOffset, byteLength }) => {
    if (width === 32) {
      const integers = new Int32Array(buffer, byteOffset, byteLength / 4)
      for (let i = 0; i < integers.length; i++) integers[i] = (integers[i] as number) + next()
      return
    }
    const integers = new BigInt64Array(buffer, byteOffset, byteLength / 8)
    for (let i = 0; i < integers.length; i++) integers[i] = (integers[i] as bigint) + BigInt(next())
  }
}
