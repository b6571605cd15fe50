/** Small helpers of the float64 reference. */

import type { Vector } from './ops.ts'

/** An index outside gives NaN, which no comparison with a kernel survives. */
export const at = (x: ArrayLike<number>, i: number): number => x[i] ?? Number.NaN

export const build = (length: number, value: (i: number) => number): Vector =>
  Float64Array.from({ length }, (_, i) => value(i))

export const sum = (count: number, term: (i: number) => number): number => {
  let total = 0
  for (let i = 0; i < count; i++) total += term(i)
  return total
}
