/**
 * The distances of vectors that nobody has to read again. A point is an affine combination of the updates and the origin;
 * between two of them, with c = a - b, whose sum is zero: |a - b|^2 = -1/2 sum_ij c_i c_j |x_i - x_j|^2. So whatever a rule
 * does with distances happens in a table of n x n numbers, between one pass over the updates and a second one.
 */

/** Coefficients of the updates, and last that of the origin; their sum is 1. */
export type Point = Float64Array

export interface Geometry {
  /** Number of updates. */
  readonly count: number
  /** Of update i, or of the origin for i = count. */
  corner(i: number): Point
  /** Squared distances of all pairs, row-major; with the origin as the last of them. */
  table(points: readonly Point[]): Float64Array
}

/** @param squared - squared distances of the updates and, last, of the origin: row-major, only i < j is looked at */
export function createGeometry(squared: Float64Array, count: number): Geometry {
  const size = count + 1
  const full = symmetric(squared, size)

  function corner(i: number): Point {
    const point = new Float64Array(size)
    point[i] = 1
    return point
  }

  /** Distances of the combination, weighted: one row of C D. */
  function times(point: Point): Float64Array {
    const out = new Float64Array(size)
    for (let i = 0; i < size; i++) {
      const c = point[i] ?? 0
      if (c !== 0) for (let j = 0; j < size; j++) out[j] = (out[j] ?? 0) + c * (full[i * size + j] ?? 0)
    }
    return out
  }

  /** Q = C D C^T, and -1/2 (Q_aa + Q_bb - 2 Q_ab). */
  function table(points: readonly Point[]): Float64Array {
    const all = [...points, corner(count)]
    const n = all.length
    const rows = all.map(times)
    const q = (a: number, b: number): number => dot(rows[a] as Float64Array, all[b] as Point)
    const own = all.map((_, a) => q(a, a))
    const out = new Float64Array(n * n)
    for (let a = 0; a < n; a++)
      for (let b = a + 1; b < n; b++) {
        const distance = Math.max(0, q(a, b) - ((own[a] ?? 0) + (own[b] ?? 0)) / 2)
        out[a * n + b] = distance
        out[b * n + a] = distance
      }
    return out
  }

  return {
    count,
    corner,
    table,
  }
}

function symmetric(squared: Float64Array, size: number): Float64Array {
  const full = new Float64Array(size * size)
  for (let i = 0; i < size; i++)
    for (let j = i + 1; j < size; j++) {
      const value = squared[i * size + j] ?? 0
      full[i * size + j] = value
      full[j * size + i] = value
    }
  return full
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0)
  return sum
}

/** Middle of the sorted values; the mean of the two in the middle of an even number. */
export function medianOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2
}
