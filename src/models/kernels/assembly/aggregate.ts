// Sums in float64, so that the order of a hundred organisations loses no float32 digit; one pass checks and adds.

/** sum[i] += weight * x[i], float64 sum of float32 values; 1 when every x[i] is finite. */
export function accumulate(sum: usize, x: usize, n: i32, weight: f64): i32 {
  const w = f64x2.splat(weight)
  const infinity = f32x4.splat(Infinity)
  let ok = i32x4.splat(-1)
  const end = x + (<usize>n << 2)
  const vectorEnd = x + (<usize>(n & ~7) << 2)
  let p = x
  let s = sum
  for (; p < vectorEnd; p += 32) {
    const a = v128.load(p)
    const b = v128.load(p, 16)
    ok = v128.and(ok, v128.and(f32x4.lt(f32x4.abs(a), infinity), f32x4.lt(f32x4.abs(b), infinity)))
    v128.store(s, f64x2.add(v128.load(s), f64x2.mul(f64x2.promote_low_f32x4(a), w)))
    v128.store(s, f64x2.add(v128.load(s, 16), f64x2.mul(f64x2.promote_low_f32x4(high(a)), w)), 16)
    v128.store(s, f64x2.add(v128.load(s, 32), f64x2.mul(f64x2.promote_low_f32x4(b), w)), 32)
    v128.store(s, f64x2.add(v128.load(s, 48), f64x2.mul(f64x2.promote_low_f32x4(high(b)), w)), 48)
    s += 64
  }
  let rest = 1
  for (; p < end; p += 4) {
    const value = load<f32>(p)
    rest &= i32(abs(value) < Infinity)
    store<f64>(s, load<f64>(s) + <f64>value * weight)
    s += 8
  }
  return i32(i32x4.all_true(ok)) & rest
}

/**
 * Four vectors in one pass over the sum, each added in its turn: the bits are those of four calls of {@link accumulate},
 * the sum is loaded and stored once. n is a multiple of 4.
 */
export function accumulate4(
  sum: usize,
  x0: usize,
  x1: usize,
  x2: usize,
  x3: usize,
  n: i32,
  w0: f64,
  w1: f64,
  w2: f64,
  w3: f64,
): i32 {
  const infinity = f32x4.splat(Infinity)
  const v0 = f64x2.splat(w0)
  const v1 = f64x2.splat(w1)
  const v2 = f64x2.splat(w2)
  const v3 = f64x2.splat(w3)
  let ok = i32x4.splat(-1)
  const bytes = <usize>n << 2
  for (let i: usize = 0; i < bytes; i += 16) {
    const a = v128.load(x0 + i)
    const b = v128.load(x1 + i)
    const c = v128.load(x2 + i)
    const d = v128.load(x3 + i)
    const ab = f32x4.max(f32x4.abs(a), f32x4.abs(b))
    const cd = f32x4.max(f32x4.abs(c), f32x4.abs(d))
    // The maximum of anything and NaN is NaN, which is not less than infinity.
    ok = v128.and(ok, f32x4.lt(f32x4.max(ab, cd), infinity))
    const s = sum + (i << 1)
    let low = v128.load(s)
    let top = v128.load(s, 16)
    low = f64x2.add(low, f64x2.mul(f64x2.promote_low_f32x4(a), v0))
    top = f64x2.add(top, f64x2.mul(f64x2.promote_low_f32x4(high(a)), v0))
    low = f64x2.add(low, f64x2.mul(f64x2.promote_low_f32x4(b), v1))
    top = f64x2.add(top, f64x2.mul(f64x2.promote_low_f32x4(high(b)), v1))
    low = f64x2.add(low, f64x2.mul(f64x2.promote_low_f32x4(c), v2))
    top = f64x2.add(top, f64x2.mul(f64x2.promote_low_f32x4(high(c)), v2))
    low = f64x2.add(low, f64x2.mul(f64x2.promote_low_f32x4(d), v3))
    top = f64x2.add(top, f64x2.mul(f64x2.promote_low_f32x4(high(d)), v3))
    v128.store(s, low)
    v128.store(s, top, 16)
  }
  return i32(i32x4.all_true(ok))
}

// @ts-ignore: decorator
@inline
function high(x: v128): v128 {
  return v128.shuffle<i32>(x, x, 2, 3, 0, 1)
}

/** out[i] = float32(sum[i] / total). */
export function mean(sum: usize, out: usize, n: i32, total: f64): void {
  const t = f64x2.splat(total)
  const end = out + (<usize>n << 2)
  const vectorEnd = out + (<usize>(n & ~3) << 2)
  let p = out
  let s = sum
  for (; p < vectorEnd; p += 16) {
    const low = f32x4.demote_f64x2_zero(f64x2.div(v128.load(s), t))
    const top = f32x4.demote_f64x2_zero(f64x2.div(v128.load(s, 16), t))
    v128.store(p, v128.shuffle<i32>(low, top, 0, 1, 4, 5))
    s += 32
  }
  for (; p < end; p += 4) {
    store<f32>(p, <f32>(load<f64>(s) / total))
    s += 8
  }
}

/** Coordinates whose sums stay in the first-level cache. */
const TILE: i32 = 1024

/**
 * out[c] = sum of weights[i] * row i at c, row after row in float64: the bits are those of {@link accumulate}. Rows are
 * `stride` bytes apart, count is a multiple of 4, `sums` has room for 1024 float64.
 */
export function weightedSum(x: usize, stride: usize, n: i32, count: i32, weights: usize, sums: usize, out: usize): void {
  for (let at = 0; at < count; at += TILE) {
    const width = min(TILE, count - at)
    memory.fill(sums, 0, <usize>width << 3)
    addRows(x + (<usize>at << 2), stride, n, width, weights, sums)
    mean(sums, out + (<usize>at << 2), width, 1)
  }
}

function addRows(x: usize, stride: usize, n: i32, width: i32, weights: usize, sums: usize): void {
  let i = 0
  for (; i + 4 <= n; i += 4) {
    const w0 = load<f64>(weights), w1 = load<f64>(weights, 8), w2 = load<f64>(weights, 16), w3 = load<f64>(weights, 24)
    accumulate4(sums, x, x + stride, x + 2 * stride, x + 3 * stride, width, w0, w1, w2, w3)
    x += 4 * stride
    weights += 32
  }
  for (; i < n; i++) {
    accumulate(sums, x, width, load<f64>(weights))
    x += stride
    weights += 8
  }
}
