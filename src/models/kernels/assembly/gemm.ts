/**
 * Matrix product by strides. Blocks of A and panels of B are chosen so that a tile of 4 by 8 finds both in the first-level
 * cache. Multiplication and addition are separate instructions of 128 bits: a processor that issues three of them in a
 * cycle reaches 12 operations a cycle at most, whatever the tiling.
 */

import { matrixVector, vectorMatrix } from './matrix-vector'
import { packColumns, packRows, stripBytes } from './pack'
import { tile } from './tile'

const DEPTH_MAX: i32 = 512
/** Floats of packed columns of B that are used for all rows of a block before the next ones are packed. */
const PANELS: i32 = 8192
/** Floats of a block of A that is left where it is; bytes of one that is packed: 32 strips of full depth. */
const BLOCK: i32 = 262144
const PACKED_BYTES: i32 = 32 * (DEPTH_MAX * 16 + 64)
const EDGE_BYTES: i32 = 128

/** Bytes of scratch that a caller of gemm provides: panels, one tile for the edges, and a packed block. */
export const SCRATCH_BYTES: i32 = PANELS * 4 + EDGE_BYTES + PACKED_BYTES

/**
 * C[M][N] = A B, or C += A B when `add` is not 0. A[i][k] is at a + 4 (i aRow + k aColumn), B[k][j] at
 * b + 4 (k bRow + j bColumn), so a transpose is a swap of strides. Every element is a sum over k in order, in pieces of
 * DEPTH_MAX; only a single column (N = 1) sums in four lanes. The order depends on shapes and strides alone.
 */
export function gemm(
  a: usize, aRow: i32, aColumn: i32, b: usize, bRow: i32, bColumn: i32,
  c: usize, M: i32, N: i32, K: i32, add: i32, scratch: usize,
): void {
  if (N == 1 && aColumn == 1 && bRow == 1) return matrixVector(a, aRow, b, c, M, K, add != 0)
  if (N == 1 && aRow == 1) return vectorMatrix(a, aColumn, b, bRow, c, M, K, add != 0)
  if (K == 0 && add == 0) memory.fill(c, 0, <usize>M * <usize>N * 4)
  for (let k = 0; k < K; k += DEPTH_MAX) {
    const from = a + ((<usize>k * <usize>aColumn) << 2)
    const to = b + ((<usize>k * <usize>bRow) << 2)
    slice(from, aRow, aColumn, to, bRow, bColumn, c, M, N, min(DEPTH_MAX, K - k), k == 0 && add == 0, scratch)
  }
}

/** C = A B (first) or C += A B for at most DEPTH_MAX products a sum, block by block of A. */
function slice(
  a: usize, aRow: i32, aColumn: i32, b: usize, bRow: i32, bColumn: i32,
  c: usize, M: i32, N: i32, depth: i32, first: bool, scratch: usize,
): void {
  const packed = aColumn != 1
  const rows = packed ? (PACKED_BYTES / <i32>stripBytes(depth)) << 2 : max(4, (BLOCK / depth) & ~3)
  const columns = max(8, (PANELS / depth) & ~7)
  const blockOfA = scratch + PANELS * 4 + EDGE_BYTES
  for (let i = 0; i < M; i += rows) {
    const height = min(rows, M - i)
    const from = a + ((<usize>i * <usize>aRow) << 2)
    if (packed) packRows(from, aRow, aColumn, height, depth, blockOfA)
    for (let j = 0; j < N; j += columns) {
      const width = min(columns, N - j)
      packColumns(b + ((<usize>j * <usize>bColumn) << 2), bRow, bColumn, depth, width, scratch)
      const to = c + ((<usize>i * <usize>N + <usize>j) << 2)
      if (packed) blockOfPacked(blockOfA, scratch, to, N, height, width, depth, first)
      else blockOfRows(from, aRow, scratch, to, N, height, width, depth, first)
    }
  }
}

/** All tiles of `height` rows of A, used where they are, and `width` packed columns of B. */
function blockOfRows(a: usize, aRow: i32, panels: usize, c: usize, N: i32, height: i32, width: i32, depth: i32, first: bool): void {
  const rowBytes = <usize>aRow << 2
  for (let i = 0; i < height; i += 4) {
    const rows = min(4, height - i)
    const a0 = a + <usize>i * rowBytes
    // Rows below the edge repeat the last one; they are not stored.
    const a1 = rows > 1 ? a0 + rowBytes : a0, a2 = rows > 2 ? a1 + rowBytes : a1, a3 = rows > 3 ? a2 + rowBytes : a2
    let panel = panels
    for (let j = 0; j < width; j += 8) {
      const to = c + ((<usize>i * <usize>N + <usize>j) << 2)
      tile(a0, a1, a2, a3, 4, panel, depth, to, N, rows, min(8, width - j), first, panels + PANELS * 4)
      panel += <usize>depth << 5
    }
  }
}

/** The same with rows of A that packRows has interleaved. */
function blockOfPacked(a: usize, panels: usize, c: usize, N: i32, height: i32, width: i32, depth: i32, first: bool): void {
  for (let i = 0; i < height; i += 4) {
    let panel = panels
    for (let j = 0; j < width; j += 8) {
      const to = c + ((<usize>i * <usize>N + <usize>j) << 2)
      tile(a, a + 4, a + 8, a + 12, 16, panel, depth, to, N, min(4, height - i), min(8, width - j), first, panels + PANELS * 4)
      panel += <usize>depth << 5
    }
    a += stripBytes(depth)
  }
}
