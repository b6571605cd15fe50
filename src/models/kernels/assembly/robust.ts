// Robust statistics over the rows of a block, coordinate by coordinate, and distances between rows. Rows are `stride` bytes
// apart, sixteen coordinates are worked on together, and what lies between a row's length and its stride may be anything.

/** Bytes of sixteen coordinates. */
const LANES: usize = 64
/** Coordinates whose squares are summed in float32 before float64 takes over: fixed, so that no chunking changes a bit. */
const BLOCK = 256

/** A total order of all floats, NaN and both zeros included, as that of integers; its own inverse. */
// @ts-ignore: decorator
@inline
function ordered(x: v128): v128 {
  return v128.xor(x, i32x4.shr_u(i32x4.shr_s(x, 31), 1))
}

// @ts-ignore: decorator
@inline
function high(x: v128): v128 {
  return v128.shuffle<i32>(x, x, 2, 3, 0, 1)
}

/** Sixteen coordinates of each row, one under the other, as ordered integers. */
function spread(x: usize, stride: usize, n: i32, block: usize): void {
  for (let i = 0; i < n; i++) {
    v128.store(block, ordered(v128.load(x)))
    v128.store(block, ordered(v128.load(x, 16)), 16)
    v128.store(block, ordered(v128.load(x, 32)), 32)
    v128.store(block, ordered(v128.load(x, 48)), 48)
    x += stride
    block += LANES
  }
}

/** Runs a network of comparators: pairs of byte offsets, the smaller value to the first. */
function exchange(block: usize, pairs: usize, count: i32): void {
  const end = pairs + (<usize>count << 3)
  for (let p = pairs; p < end; p += 8) {
    const a = block + load<u32>(p)
    const b = block + load<u32>(p, 4)
    const a0 = v128.load(a), a1 = v128.load(a, 16), a2 = v128.load(a, 32), a3 = v128.load(a, 48)
    const b0 = v128.load(b), b1 = v128.load(b, 16), b2 = v128.load(b, 32), b3 = v128.load(b, 48)
    v128.store(a, i32x4.min_s(a0, b0))
    v128.store(a, i32x4.min_s(a1, b1), 16)
    v128.store(a, i32x4.min_s(a2, b2), 32)
    v128.store(a, i32x4.min_s(a3, b3), 48)
    v128.store(b, i32x4.max_s(a0, b0))
    v128.store(b, i32x4.max_s(a1, b1), 16)
    v128.store(b, i32x4.max_s(a2, b2), 32)
    v128.store(b, i32x4.max_s(a3, b3), 48)
  }
}

/** Means of the rows from..to-1 of a block, in float64. */
function meansOf(block: usize, from: i32, to: i32, out: usize): void {
  const total = f64x2.splat(<f64>(to - from))
  for (let lane: usize = 0; lane < LANES; lane += 16) {
    let low = f64x2.splat(0), top = f64x2.splat(0)
    let p = block + <usize>from * LANES + lane
    for (let i = from; i < to; i++) {
      const x = ordered(v128.load(p))
      low = f64x2.add(low, f64x2.promote_low_f32x4(x))
      top = f64x2.add(top, f64x2.promote_low_f32x4(high(x)))
      p += LANES
    }
    const a = f32x4.demote_f64x2_zero(f64x2.div(low, total))
    const b = f32x4.demote_f64x2_zero(f64x2.div(top, total))
    v128.store(out + lane, v128.shuffle<i32>(a, b, 0, 1, 4, 5))
  }
}

/** out[c] = mean of wires from..to-1 of the network over column c: the median, or the mean without the extremes. */
export function sortedMean(
  x: usize, stride: usize, n: i32, count: i32, pairs: usize, pairCount: i32, from: i32, to: i32, block: usize, out: usize,
): void {
  for (let at = 0; at < count; at += 16) {
    spread(x + (<usize>at << 2), stride, n, block)
    exchange(block, pairs, pairCount)
    meansOf(block, from, to, out + (<usize>at << 2))
  }
}

// @ts-ignore: decorator
@inline
function valueAt(column: usize, row: i32): f64 {
  const bits = load<i32>(column + <usize>row * LANES)
  return <f64>reinterpret<f32>(bits ^ <i32>(<u32>(bits >> 31) >> 1))
}

/** Mean of the `keep` values of a sorted column that are nearest to its median. */
function nearestMean(column: usize, n: i32, keep: i32): f64 {
  const median = (valueAt(column, (n - 1) >> 1) + valueAt(column, n >> 1)) / 2
  let low = 0, top = n - 1
  while (top - low >= keep) {
    if (median - valueAt(column, low) > valueAt(column, top) - median) low++
    else top--
  }
  let sum: f64 = 0
  for (let i = low; i <= top; i++) sum += valueAt(column, i)
  return sum / <f64>keep
}

/** out[c] = mean of the `keep` values of column c nearest to their median; the network sorts completely. */
export function windowMean(
  x: usize, stride: usize, n: i32, count: i32, pairs: usize, pairCount: i32, keep: i32, block: usize, out: usize,
): void {
  for (let at = 0; at < count; at += 16) {
    spread(x + (<usize>at << 2), stride, n, block)
    exchange(block, pairs, pairCount)
    for (let c = 0; c < 16; c++)
      store<f32>(out + (<usize>(at + c) << 2), <f32>nearestMean(block + (<usize>c << 2), n, keep))
  }
}

// @ts-ignore: decorator
@inline
function squared(sum: v128, x: v128, y: v128): v128 {
  const d = f32x4.sub(x, y)
  return f32x4.add(sum, f32x4.mul(d, d))
}

// @ts-ignore: decorator
@inline
function addTo(out: usize, sum: v128): void {
  const pairs = f64x2.add(f64x2.promote_low_f32x4(sum), f64x2.promote_low_f32x4(high(sum)))
  store<f64>(out, load<f64>(out) + (f64x2.extract_lane(pairs, 0) + f64x2.extract_lane(pairs, 1)))
}

/**
 * out[i * n + j] += |x_i - x_j|^2 for i < j; other places hold anything. Padding behind `count`, up to a multiple of four,
 * must be equal in all rows. Of `parts` parts that share no sum, only number `part` is done.
 */
export function pairDistances(
  x: usize, stride: usize, n: i32, count: i32, out: usize, part: i32, parts: i32,
): void {
  for (let at = 0; at < count; at += BLOCK) {
    const bytes = <usize>((min(BLOCK, count - at) + 3) & ~3) << 2
    const from = x + (<usize>at << 2)
    for (let i = 4 * part; i < n; i += 4 * parts)
      for (let j = i; j < n; j += 2) tile(from, stride, n, i, j, bytes, out)
  }
}

/** Rows i..i+3 against rows j and j+1; rows below the edge repeat the last one and are not stored. */
function tile(x: usize, stride: usize, n: i32, i: i32, j: i32, bytes: usize, out: usize): void {
  const last = n - 1
  let p0 = x + <usize>i * stride
  const d1 = <usize>(min(i + 1, last) - i) * stride
  const d2 = <usize>(min(i + 2, last) - i) * stride
  const d3 = <usize>(min(i + 3, last) - i) * stride
  let q0 = x + <usize>j * stride
  const e1 = <usize>(min(j + 1, last) - j) * stride
  let a = f32x4.splat(0), b = a, c = a, d = a, e = a, f = a, g = a, h = a
  const end = p0 + bytes
  while (p0 < end) {
    const y0 = v128.load(q0), y1 = v128.load(q0 + e1)
    const x0 = v128.load(p0)
    a = squared(a, x0, y0)
    b = squared(b, x0, y1)
    const x1 = v128.load(p0 + d1)
    c = squared(c, x1, y0)
    d = squared(d, x1, y1)
    const x2 = v128.load(p0 + d2)
    e = squared(e, x2, y0)
    f = squared(f, x2, y1)
    const x3 = v128.load(p0 + d3)
    g = squared(g, x3, y0)
    h = squared(h, x3, y1)
    p0 += 16
    q0 += 16
  }
  put(out, n, i, j, a, b)
  put(out, n, i + 1, j, c, d)
  put(out, n, i + 2, j, e, f)
  put(out, n, i + 3, j, g, h)
}

// @ts-ignore: decorator
@inline
function put(out: usize, n: i32, i: i32, j: i32, first: v128, second: v128): void {
  if (i >= n) return
  const to = out + (<usize>(i * n + j) << 3)
  addTo(to, first)
  if (j + 1 < n) addTo(to + 8, second)
}

/** out[i] += |x_i - y|^2, in blocks as above. */
export function rowDistances(x: usize, stride: usize, n: i32, y: usize, count: i32, out: usize): void {
  for (let at = 0; at < count; at += BLOCK) {
    const bytes = <usize>((min(BLOCK, count - at) + 3) & ~3) << 2
    const other = y + (<usize>at << 2)
    for (let i = 0; i < n; i++) {
      const row = x + <usize>i * stride + (<usize>at << 2)
      let sum = f32x4.splat(0)
      for (let p: usize = 0; p < bytes; p += 16) sum = squared(sum, v128.load(row + p), v128.load(other + p))
      addTo(out + (<usize>i << 3), sum)
    }
  }
}
