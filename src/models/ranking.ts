/** Sorting of millions of scores: a stable radix sort over typed arrays, since a comparator costs seconds. */

import { fail } from '../base/errors.ts'

const DIGIT_BITS = 11
const DIGITS = 1 << DIGIT_BITS

/** Indices of the scores from the highest to the lowest; equal scores in index order. @throws not-finite */
export function descendingOrder(scores: Float32Array): Uint32Array {
  let keys = descendingKeys(scores)
  let order = Uint32Array.from({ length: scores.length }, (_, i) => i)
  let keysNext = new Uint32Array(keys.length)
  let orderNext = new Uint32Array(order.length)
  for (let shift = 0; shift < 32; shift += DIGIT_BITS) {
    const starts = digitStarts(keys, shift)
    for (let i = 0; i < keys.length; i++) {
      const key = keys[i] ?? 0
      const digit = (key >>> shift) & (DIGITS - 1)
      const to = starts[digit] ?? 0
      starts[digit] = to + 1
      keysNext[to] = key
      orderNext[to] = order[i] ?? 0
    }
    ;[keys, keysNext] = [keysNext, keys]
    ;[order, orderNext] = [orderNext, order]
  }
  return order
}

/** Unsigned keys whose ascending order is the descending order of the floats; -0 and 0 are one key. */
function descendingKeys(scores: Float32Array): Uint32Array<ArrayBuffer> {
  // Adding 0 turns -0 into 0 and copies in one step.
  const copy = scores.map((score) => score + 0)
  const keys = new Uint32Array(copy.buffer)
  for (let i = 0; i < keys.length; i++) {
    if (!Number.isFinite(copy[i])) fail('not-finite', `score ${i} is not finite`)
    const bits = keys[i] ?? 0
    keys[i] = bits >>> 31 === 1 ? bits : ~bits & 0x7fffffff
  }
  return keys
}

function digitStarts(keys: Uint32Array, shift: number): Uint32Array {
  const starts = new Uint32Array(DIGITS)
  for (let i = 0; i < keys.length; i++) {
    const digit = ((keys[i] ?? 0) >>> shift) & (DIGITS - 1)
    starts[digit] = (starts[digit] ?? 0) + 1
  }
  let start = 0
  for (let digit = 0; digit < DIGITS; digit++) {
    const count = starts[digit] ?? 0
    starts[digit] = start
    start += count
  }
  return starts
}
