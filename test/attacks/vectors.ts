/** Moments of a few vectors, in float64. */

export function meanOf(vectors: readonly Float32Array[]): Float64Array {
  const mean = new Float64Array(vectors[0]?.length ?? 0)
  for (const vector of vectors) for (let i = 0; i < mean.length; i++) mean[i] = (mean[i] ?? 0) + (vector[i] ?? 0)
  return mean.map((sum) => sum / vectors.length)
}

/** Standard deviation of each coordinate, with n in the denominator. */
export function deviationOf(vectors: readonly Float32Array[], mean: Float64Array = meanOf(vectors)): Float64Array {
  const squares = new Float64Array(mean.length)
  for (const vector of vectors)
    for (let i = 0; i < mean.length; i++) squares[i] = (squares[i] ?? 0) + ((vector[i] ?? 0) - (mean[i] ?? 0)) ** 2
  return squares.map((sum) => Math.sqrt(sum / vectors.length))
}

export function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0)
  return sum
}

export const norm = (a: ArrayLike<number>): number => Math.sqrt(dot(a, a))

export function minus(a: ArrayLike<number>, b: ArrayLike<number>): Float64Array {
  return Float64Array.from(a, (value, i) => value - (b[i] ?? 0))
}

/** a + factor * b. */
export function along(a: ArrayLike<number>, factor: number, b: ArrayLike<number>): Float32Array {
  return Float32Array.from(a, (value, i) => value + factor * (b[i] ?? 0))
}
