// The inner loops of the product: a tile of 4 rows of A by one panel of 8 columns of B, accumulated in eight registers. Two
// steps in a turn of the loop; with four, the compiler runs out of registers and the product is a sixth slower.

import { madd } from './lanes'

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

/** Writes (first) or adds `rows` rows of the tile at `edge`, `width` columns wide, to C. */
function storeEdge(edge: usize, c: usize, next: usize, rows: i32, width: i32, first: bool): void {
  for (let r = 0; r < rows; r++)
    for (let t = 0; t < width; t++) {
      const to = c + <usize>r * next + (<usize>t << 2)
      const value = load<f32>(edge + (<usize>(r * 8 + t) << 2))
      store<f32>(to, first ? value : value + load<f32>(to))
    }
}

/** Rows of A begin at a0 to a3 and are contiguous. */
// @ts-ignore: decorator
@inline
export function tileOfRows(
  a0: usize, a1: usize, a2: usize, a3: usize, panel: usize, depth: i32, c: usize, N: i32, rows: i32, width: i32, first: bool, edge: usize,
): void {
  let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00
  let b0: v128, b1: v128, x: v128
  let p = panel
  const end = panel + (<usize>(depth & ~1) << 5)
  while (p < end) {
    b0 = v128.load(p)
    b1 = v128.load(p, 16)
    x = v128.load32_splat(a0)
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
    b0 = v128.load(p, 32)
    b1 = v128.load(p, 48)
    x = v128.load32_splat(a0, 4)
    c00 = madd(x, b0, c00)
    c01 = madd(x, b1, c01)
    x = v128.load32_splat(a1, 4)
    c10 = madd(x, b0, c10)
    c11 = madd(x, b1, c11)
    x = v128.load32_splat(a2, 4)
    c20 = madd(x, b0, c20)
    c21 = madd(x, b1, c21)
    x = v128.load32_splat(a3, 4)
    c30 = madd(x, b0, c30)
    c31 = madd(x, b1, c31)
    a0 += 8
    a1 += 8
    a2 += 8
    a3 += 8
    p += 64
  }
  if (depth & 1) {
    b0 = v128.load(p)
    b1 = v128.load(p, 16)
    x = v128.load32_splat(a0)
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
  }
  const whole = rows == 4 && width == 8
  const to = whole ? c : edge
  const next = whole ? <usize>N << 2 : 32
  put(to, c00, c01, first || !whole)
  put(to + next, c10, c11, first || !whole)
  put(to + 2 * next, c20, c21, first || !whole)
  put(to + 3 * next, c30, c31, first || !whole)
  if (!whole) storeEdge(edge, c, <usize>N << 2, rows, width, first)
}

/** `a` is a strip of four interleaved rows. */
// @ts-ignore: decorator
@inline
export function tileOfPacked(
  a: usize, panel: usize, depth: i32, c: usize, N: i32, rows: i32, width: i32, first: bool, edge: usize,
): void {
  let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00
  let b0: v128, b1: v128, x: v128
  let p = panel
  const end = panel + (<usize>(depth & ~1) << 5)
  while (p < end) {
    b0 = v128.load(p)
    b1 = v128.load(p, 16)
    x = v128.load32_splat(a)
    c00 = madd(x, b0, c00)
    c01 = madd(x, b1, c01)
    x = v128.load32_splat(a, 4)
    c10 = madd(x, b0, c10)
    c11 = madd(x, b1, c11)
    x = v128.load32_splat(a, 8)
    c20 = madd(x, b0, c20)
    c21 = madd(x, b1, c21)
    x = v128.load32_splat(a, 12)
    c30 = madd(x, b0, c30)
    c31 = madd(x, b1, c31)
    b0 = v128.load(p, 32)
    b1 = v128.load(p, 48)
    x = v128.load32_splat(a, 16)
    c00 = madd(x, b0, c00)
    c01 = madd(x, b1, c01)
    x = v128.load32_splat(a, 20)
    c10 = madd(x, b0, c10)
    c11 = madd(x, b1, c11)
    x = v128.load32_splat(a, 24)
    c20 = madd(x, b0, c20)
    c21 = madd(x, b1, c21)
    x = v128.load32_splat(a, 28)
    c30 = madd(x, b0, c30)
    c31 = madd(x, b1, c31)
    a += 32
    p += 64
  }
  if (depth & 1) {
    b0 = v128.load(p)
    b1 = v128.load(p, 16)
    x = v128.load32_splat(a)
    c00 = madd(x, b0, c00)
    c01 = madd(x, b1, c01)
    x = v128.load32_splat(a, 4)
    c10 = madd(x, b0, c10)
    c11 = madd(x, b1, c11)
    x = v128.load32_splat(a, 8)
    c20 = madd(x, b0, c20)
    c21 = madd(x, b1, c21)
    x = v128.load32_splat(a, 12)
    c30 = madd(x, b0, c30)
    c31 = madd(x, b1, c31)
  }
  const whole = rows == 4 && width == 8
  const to = whole ? c : edge
  const next = whole ? <usize>N << 2 : 32
  put(to, c00, c01, first || !whole)
  put(to + next, c10, c11, first || !whole)
  put(to + 2 * next, c20, c21, first || !whole)
  put(to + 3 * next, c30, c31, first || !whole)
  if (!whole) storeEdge(edge, c, <usize>N << 2, rows, width, first)
}
