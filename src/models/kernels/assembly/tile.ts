// The inner loop of the product: a tile of 4 rows of A by one panel of 8 columns of B, accumulated in eight registers. One
// step in a turn of the loop: two are no faster, and with four the compiler runs out of registers.

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

/** Four rows of A begin at a0 to a3; their elements are `step` bytes apart. */
// @ts-ignore: decorator
@inline
export function tile(
  a0: usize, a1: usize, a2: usize, a3: usize, step: usize,
  panel: usize, depth: i32, c: usize, N: i32, rows: i32, width: i32, first: bool, edge: usize,
): void {
  let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00
  const end = panel + (<usize>depth << 5)
  for (let p = panel; p < end; p += 32) {
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
    a0 += step
    a1 += step
    a2 += step
    a3 += step
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
