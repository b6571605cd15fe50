// Sums of squares in float64. The order is fixed: four pairs of lanes, element i in lane i mod 8, then a fixed tree, then
// the tail in order; so the same values give the same bits on any machine.

import { scale } from './arithmetic'

// @ts-ignore: decorator
@inline
function high(x: v128): v128 {
  return v128.shuffle<i32>(x, x, 2, 3, 0, 1)
}

// @ts-ignore: decorator
@inline
function square(x: v128): v128 {
  return f64x2.mul(x, x)
}

// @ts-ignore: decorator
@inline
function total(a: v128, b: v128, c: v128, d: v128): f64 {
  const sum = f64x2.add(f64x2.add(a, b), f64x2.add(c, d))
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1)
}

/** Sum of x[i]^2. */
export function squaredNorm(x: usize, n: i32): f64 {
  let a = f64x2.splat(0), b = a, c = a, d = a
  const end = x + (<usize>n << 2)
  const vectorEnd = x + (<usize>(n & ~7) << 2)
  let p = x
  for (; p < vectorEnd; p += 32) {
    const u = v128.load(p)
    const v = v128.load(p, 16)
    a = f64x2.add(a, square(f64x2.promote_low_f32x4(u)))
    b = f64x2.add(b, square(f64x2.promote_low_f32x4(high(u))))
    c = f64x2.add(c, square(f64x2.promote_low_f32x4(v)))
    d = f64x2.add(d, square(f64x2.promote_low_f32x4(high(v))))
  }
  let sum = total(a, b, c, d)
  for (; p < end; p += 4) {
    const value = <f64>load<f32>(p)
    sum += value * value
  }
  return sum
}

/** Sum of (x[i] - y[i])^2; the difference is taken in float64. */
export function squaredDistance(x: usize, y: usize, n: i32): f64 {
  let a = f64x2.splat(0), b = a, c = a, d = a
  const end = x + (<usize>n << 2)
  const vectorEnd = x + (<usize>(n & ~7) << 2)
  let p = x
  let q = y
  for (; p < vectorEnd; p += 32) {
    const u = v128.load(p), v = v128.load(p, 16)
    const s = v128.load(q), t = v128.load(q, 16)
    a = f64x2.add(a, square(f64x2.sub(f64x2.promote_low_f32x4(u), f64x2.promote_low_f32x4(s))))
    b = f64x2.add(b, square(f64x2.sub(f64x2.promote_low_f32x4(high(u)), f64x2.promote_low_f32x4(high(s)))))
    c = f64x2.add(c, square(f64x2.sub(f64x2.promote_low_f32x4(v), f64x2.promote_low_f32x4(t))))
    d = f64x2.add(d, square(f64x2.sub(f64x2.promote_low_f32x4(high(v)), f64x2.promote_low_f32x4(high(t)))))
    q += 32
  }
  let sum = total(a, b, c, d)
  for (; p < end; p += 4) {
    const value = <f64>load<f32>(p) - <f64>load<f32>(q)
    sum += value * value
    q += 4
  }
  return sum
}

/**
 * Shortens x to an L2 norm of at most `normMax`, and returns the norm that it had: NaN, with x unchanged, when a value is
 * not a number. The factor lies a hair below normMax / norm, so that rounding cannot carry the result above.
 */
export function clipNorm(x: usize, n: i32, normMax: f64): f64 {
  const norm = sqrt<f64>(squaredNorm(x, n))
  if (norm > normMax) scale(<f32>((normMax / norm) * (1 - 2.4e-7)), x, n)
  return norm
}
