/** Count-min sketch (Cormode and Muthukrishnan 2005) of one or two integer keys, with float64 cells. */

import { prng } from '../../base/prng.ts'

export interface CountMin {
  readonly cells: Float64Array
  /** Cells of a key, one a row, into `into`. */
  locate(a: number, b: number, into: Int32Array): void
}

export function createCountMin(rows: number, columns: number, seed: string): CountMin {
  const random = prng(`count-min/${seed}`)
  const salts = Uint32Array.from({ length: rows }, () => random.u32())

  function locate(a: number, b: number, into: Int32Array): void {
    for (let row = 0; row < rows; row++) {
      const salt = salts[row] ?? 0
      into[row] = row * columns + (mix(Math.imul(mix(a ^ salt), 0x9e3779b1) ^ b ^ salt) % columns)
    }
  }

  return { cells: new Float64Array(rows * columns), locate }
}

/** Smallest of the cells: the estimate, which is never too low. */
export function least(cells: Float64Array, at: Int32Array): number {
  let smallest = Infinity
  for (let i = 0; i < at.length; i++) smallest = Math.min(smallest, cells[at[i] ?? 0] ?? 0)
  return smallest
}

/** The finaliser of MurmurHash3: each input bit moves each output bit. */
function mix(x: number): number {
  let h = x >>> 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
