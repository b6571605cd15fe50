// Products with a single column, where a tile of eight would compute seven columns of zeros.

import { loadPart, madd, storePart, sumLanes } from './lanes'

/** c[i] = A[i] . b, or added: four lanes a row, then lanes in a fixed order. Rows of A are contiguous. */
export function matrixVector(a: usize, aRow: i32, b: usize, c: usize, M: i32, K: i32, add: bool): void {
  const end = <usize>(K & ~3) << 2
  const rest = K & 3
  for (let i = 0; i < M; i++) {
    const row = a + ((<usize>i * <usize>aRow) << 2)
    let even = f32x4.splat(0), odd = even
    let k: usize = 0
    for (; k + 32 <= end; k += 32) {
      even = madd(v128.load(row + k), v128.load(b + k), even)
      odd = madd(v128.load(row + k, 16), v128.load(b + k, 16), odd)
    }
    if (k < end) even = madd(v128.load(row + k), v128.load(b + k), even)
    if (rest) odd = madd(loadPart(row + end, rest), loadPart(b + end, rest), odd)
    const to = c + (<usize>i << 2)
    const sum = sumLanes(f32x4.add(even, odd))
    store<f32>(to, add ? load<f32>(to) + sum : sum)
  }
}

/** c[i] = sum over k in order of A[i][k] b[k], or added. Columns of A are contiguous, `aColumn` elements apart. */
export function vectorMatrix(a: usize, aColumn: i32, b: usize, bRow: i32, c: usize, M: i32, K: i32, add: bool): void {
  const end = <usize>(M & ~3) << 2
  const rest = M & 3
  if (!add) memory.fill(c, 0, <usize>M << 2)
  for (let k = 0; k < K; k++) {
    const column = a + ((<usize>k * <usize>aColumn) << 2)
    const x = v128.load32_splat(b + ((<usize>k * <usize>bRow) << 2))
    for (let i: usize = 0; i < end; i += 16) v128.store(c + i, madd(x, v128.load(column + i), v128.load(c + i)))
    if (rest) storePart(c + end, madd(x, loadPart(column + end, rest), loadPart(c + end, rest)), rest)
  }
}
