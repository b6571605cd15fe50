// Matrix product by strides: B is packed into panels of 8 columns by PANEL_ROWS rows, C is computed in tiles of 4 by 8.

const PANEL_ROWS: i32 = 512
/** Bytes of scratch that a caller of gemm provides: the panel, and one 4 by 8 tile for the right edge. */
export const SCRATCH_BYTES: i32 = PANEL_ROWS * 32 + 128

// @ts-ignore: decorator
@inline
function madd(a: v128, b: v128, c: v128): v128 {
  return f32x4.add(f32x4.mul(a, b), c)
}

/** Copies rows k0.. of 8 columns of B (strides in elements) into the panel; columns beyond `width` become zero. */
function pack(b: usize, rowStride: i32, columnStride: i32, rows: i32, width: i32, panel: usize): void {
  const rowBytes = <usize>rowStride << 2
  const columnBytes = <usize>columnStride << 2
  let from = b
  let p = panel
  if (columnStride == 1 && width == 8) {
    for (let k = 0; k < rows; k++) {
      v128.store(p, v128.load(from))
      v128.store(p, v128.load(from, 16), 16)
      p += 32
      from += rowBytes
    }
    return
  }
  for (let k = 0; k < rows; k++) {
    for (let t = 0; t < 8; t++) store<f32>(p + (<usize>t << 2), t < width ? load<f32>(from + <usize>t * columnBytes) : 0)
    p += 32
    from += rowBytes
  }
}

/** Writes (first) or adds `rows` rows of the tile, `width` columns wide, to C. */
function storeEdge(tile: usize, c: usize, columns: i32, rows: i32, width: i32, first: bool): void {
  for (let r = 0; r < rows; r++)
    for (let t = 0; t < width; t++) {
      const to = c + ((<usize>(r * columns + t)) << 2)
      const value = load<f32>(tile + (<usize>(r * 8 + t) << 2))
      store<f32>(to, first ? value : value + load<f32>(to))
    }
}

// @ts-ignore: decorator
@inline
function put(to: usize, low: v128, top: v128, first: bool): void {
  if (!first) {
    low = f32x4.add(low, v128.load(to))
    top = f32x4.add(top, v128.load(to, 16))
  }
  v128.store(to, low)
  v128.store(to, top, 16)
}

/**
 * C[M][N] = A B, or C += A B when `add` is not 0. A[i][k] is at a + 4 (i aRow + k aColumn), B[k][j] at
 * b + 4 (k bRow + j bColumn), so a transpose is a swap of strides. The order of additions depends on M, N, K only.
 */
export function gemm(
  a: usize, aRow: i32, aColumn: i32, b: usize, bRow: i32, bColumn: i32,
  c: usize, M: i32, N: i32, K: i32, add: i32, scratch: usize,
): void {
  const rowBytes = <usize>aRow << 2
  const columnBytes = <usize>aColumn << 2
  const tile = scratch + (<usize>PANEL_ROWS << 5)
  const next = <usize>N << 2
  for (let k0 = 0; k0 < K; k0 += PANEL_ROWS) {
    const rows = min(PANEL_ROWS, K - k0)
    const first = k0 == 0 && add == 0
    const panelEnd = scratch + (<usize>rows << 5)
    for (let j = 0; j < N; j += 8) {
      const width = min(8, N - j)
      pack(b + ((<usize>(k0 * bRow + j * bColumn)) << 2), bRow, bColumn, rows, width, scratch)
      let i = 0
      for (; i + 4 <= M; i += 4) {
        let a0 = a + <usize>i * rowBytes + <usize>k0 * columnBytes
        let a1 = a0 + rowBytes, a2 = a1 + rowBytes, a3 = a2 + rowBytes
        let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00
        for (let p = scratch; p < panelEnd; p += 32) {
          const b0 = v128.load(p), b1 = v128.load(p, 16)
          let x = v128.load32_splat(a0)
          c00 = madd(x, b0, c00)
          c01 = madd(x, b1, c01)
          x = v128.load32_splat(a1)
          c10 = madd(x, b0, c10)
          c11 = madd(x, b1, c11)
          x = v128.load32_splat(a2)
          c20 = madd(x, b0, c20)
          c21 = madd(x, b1, c21)
          x = v128.load32_splat(a3)
          c30 = madd(x, b0, c30)
          c31 = madd(x, b1, c31)
          a0 += columnBytes
          a1 += columnBytes
          a2 += columnBytes
          a3 += columnBytes
        }
        const to = c + ((<usize>(i * N + j)) << 2)
        if (width == 8) {
          put(to, c00, c01, first)
          put(to + next, c10, c11, first)
          put(to + 2 * next, c20, c21, first)
          put(to + 3 * next, c30, c31, first)
        } else {
          put(tile, c00, c01, true)
          put(tile + 32, c10, c11, true)
          put(tile + 64, c20, c21, true)
          put(tile + 96, c30, c31, true)
          storeEdge(tile, to, N, 4, width, first)
        }
      }
      for (; i < M; i++) {
        let a0 = a + <usize>i * rowBytes + <usize>k0 * columnBytes
        let c00 = f32x4.splat(0), c01 = c00
        for (let p = scratch; p < panelEnd; p += 32) {
          const x = v128.load32_splat(a0)
          c00 = madd(x, v128.load(p), c00)
          c01 = madd(x, v128.load(p, 16), c01)
          a0 += columnBytes
        }
        put(tile, c00, c01, true)
        storeEdge(tile, c + ((<usize>(i * N + j)) << 2), N, 1, width, first)
      }
    }
  }
}
