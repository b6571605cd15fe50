/** The table of distances as the kernels keep it: blocks of four rows by four, as assembly/distances.ts describes it. */

/** Squared distances of `count` rows and, last, of the origin, row-major; only i < j has meaning. */
export function distanceTable(count: number, blocks: Float64Array): Float64Array {
  const strips = Math.ceil(count / 4)
  const size = count + 1
  const norms = 8 * strips * (strips + 1)
  const block = (i: number, j: number): number => 16 * (i * strips - (i * (i - 1)) / 2 + j - i)
  const out = new Float64Array(size * size)
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++)
      out[i * size + j] = blocks[block(i >> 2, j >> 2) + 4 * (i & 3) + (j & 3)] ?? Number.NaN
    out[i * size + count] = blocks[norms + i] ?? Number.NaN
  }
  return out
}
