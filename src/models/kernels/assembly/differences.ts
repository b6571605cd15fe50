// Sums of squared differences, which lose no digit however long and alike the rows are.

/** Coordinates whose squares are summed in float32 before float64 takes over: fixed, so that no chunking changes a bit. */
const GROUP = 256

// @ts-ignore: decorator
@inline
function squared(sum: v128, x: v128, y: v128): v128 {
  const d = f32x4.sub(x, y)
  return f32x4.add(sum, f32x4.mul(d, d))
}

// @ts-ignore: decorator
@inline
function addTo(out: usize, sum: v128): void {
  const high = v128.shuffle<i32>(sum, sum, 2, 3, 0, 1)
  const pairs = f64x2.add(f64x2.promote_low_f32x4(sum), f64x2.promote_low_f32x4(high))
  store<f64>(out, load<f64>(out) + (f64x2.extract_lane(pairs, 0) + f64x2.extract_lane(pairs, 1)))
}

/** out[2 r + c] = |x_{i+r} - x_{j+c}|^2 for r < 4, c < 2; rows below the edge repeat the last one. */
export function differences(x: usize, stride: usize, n: i32, count: i32, i: i32, j: i32, out: usize): void {
  memory.fill(out, 0, 64)
  for (let at = 0; at < count; at += GROUP)
    group(x + (<usize>at << 2), stride, n, i, j, <usize>((min(GROUP, count - at) + 3) & ~3) << 2, out)
}

function group(x: usize, stride: usize, n: i32, i: i32, j: i32, bytes: usize, out: usize): void {
  const last = n - 1
  const p0 = x + <usize>min(i, last) * stride, p1 = x + <usize>min(i + 1, last) * stride
  const p2 = x + <usize>min(i + 2, last) * stride, p3 = x + <usize>min(i + 3, last) * stride
  const q0 = x + <usize>min(j, last) * stride, q1 = x + <usize>min(j + 1, last) * stride
  let a = f32x4.splat(0), b = a, c = a, d = a, e = a, f = a, g = a, h = a
  for (let p: usize = 0; p < bytes; p += 16) {
    const y0 = v128.load(q0 + p), y1 = v128.load(q1 + p)
    const x0 = v128.load(p0 + p), x1 = v128.load(p1 + p), x2 = v128.load(p2 + p), x3 = v128.load(p3 + p)
    a = squared(a, x0, y0)
    b = squared(b, x0, y1)
    c = squared(c, x1, y0)
    d = squared(d, x1, y1)
    e = squared(e, x2, y0)
    f = squared(f, x2, y1)
    g = squared(g, x3, y0)
    h = squared(h, x3, y1)
  }
  addTo(out, a)
  addTo(out + 8, b)
  addTo(out + 16, c)
  addTo(out + 24, d)
  addTo(out + 32, e)
  addTo(out + 40, f)
  addTo(out + 48, g)
  addTo(out + 56, h)
}

/** out[i] += |x_i - y|^2, four rows at a time: one alone would wait for each of its additions. */
export function rowDistances(x: usize, stride: usize, n: i32, y: usize, count: i32, out: usize): void {
  for (let at = 0; at < count; at += GROUP) {
    const bytes = <usize>((min(GROUP, count - at) + 3) & ~3) << 2
    const from = x + (<usize>at << 2)
    for (let i = 0; i < n; i += 4) fourRows(from, stride, n, i, y + (<usize>at << 2), bytes, out + (<usize>i << 3))
  }
}

function fourRows(x: usize, stride: usize, n: i32, i: i32, y: usize, bytes: usize, out: usize): void {
  const last = n - 1
  const p0 = x + <usize>i * stride, p1 = x + <usize>min(i + 1, last) * stride
  const p2 = x + <usize>min(i + 2, last) * stride, p3 = x + <usize>min(i + 3, last) * stride
  let a = f32x4.splat(0), b = a, c = a, d = a
  for (let p: usize = 0; p < bytes; p += 16) {
    const other = v128.load(y + p)
    a = squared(a, v128.load(p0 + p), other)
    b = squared(b, v128.load(p1 + p), other)
    c = squared(c, v128.load(p2 + p), other)
    d = squared(d, v128.load(p3 + p), other)
  }
  addTo(out, a)
  if (i + 1 < n) addTo(out + 8, b)
  if (i + 2 < n) addTo(out + 16, c)
  if (i + 3 < n) addTo(out + 24, d)
}
