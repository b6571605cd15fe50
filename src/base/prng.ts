/**
 * Reproducible, non-secret randomness: client selection, shuffles, initial weights. xoshiro128** (Blackman and Vigna,
 * 2021) seeded by SHA-256 of a label, so that two purposes never share a stream. Never for keys, masks or noise.
 */

import { utf8 } from './bytes.ts'
import { fail } from './errors.ts'
import { sha256 } from './hash.ts'

export interface Prng {
  /** Uniform 32-bit unsigned integer. */
  u32(): number
  /** Uniform in [0, 1) with 32 bits of resolution. */
  uniform(): number
  /** Uniform integer in [0, bound), without modulo bias; 1 <= bound <= 2^32. */
  below(bound: number): number
  /** Standard normal (Box-Muller). */
  normal(): number
}

const rotateLeft = (x: number, k: number): number => ((x << k) | (x >>> (32 - k))) >>> 0

export function prng(label: string): Prng {
  const seed = new DataView(sha256(utf8(label)).buffer)
  let [a, b, c, d] = [seed.getUint32(0), seed.getUint32(4), seed.getUint32(8), seed.getUint32(12) | 1]

  function u32(): number {
    const result = Math.imul(rotateLeft(Math.imul(b, 5), 7), 9) >>> 0
    const t = (b << 9) >>> 0
    c = (c ^ a) >>> 0
    d = (d ^ b) >>> 0
    b = (b ^ c) >>> 0
    a = (a ^ d) >>> 0
    c = (c ^ t) >>> 0
    d = rotateLeft(d, 11)
    return result
  }

  const uniform = (): number => u32() / 2 ** 32

  function below(bound: number): number {
    if (!(bound >= 1 && bound <= 2 ** 32)) fail('internal', `there is no integer in [0, ${bound})`)
    const limit = 2 ** 32 - (2 ** 32 % bound)
    for (;;) {
      const draw = u32()
      if (draw < limit) return draw % bound
    }
  }

  const normal = (): number => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform())

  return { u32, uniform, below, normal }
}

/** Fisher-Yates, in place; returns its argument. */
export function shuffle<T extends { length: number; [index: number]: unknown }>(items: T, random: Prng): T {
  for (let i = items.length - 1; i > 0; i--) {
    const j = random.below(i + 1)
    const held = items[i]
    items[i] = items[j]
    items[j] = held
  }
  return items
}
