// Squared distances of all pairs of rows, mostly by products: |x - y|^2 = |x - c|^2 + |y - c|^2 - 2 (x - c)(y - c), a third
// less work than summing squared differences. Two things keep its digits. The centre c lies among the rows (coordinate by
// coordinate the middle of five), so that rows which are long and alike lose nothing. And where a distance is short beside
// the lengths it is taken from, as liars can make it who all send the same, it is measured again by differences.
// Everything is summed over fixed groups: a distance depends on its two rows and on c, not on blocks or threads.

import { differences } from './differences'

/** Coordinates whose products are summed in float32 before float64 takes over. */
const GROUP: i32 = 256
/** Coordinates after which a sum of products becomes distances. Whoever divides the work divides it here. */
const SPAN: i32 = 1024
/** Bytes of a span of four rows, and of a group of it. */
const STRIP: usize = 16 * SPAN
const PART: usize = 16 * GROUP
/** A distance below this part of |x - c|^2 + |y - c|^2 has lost four of 24 bits, and is measured by differences. */
const NEAR: f64 = 1 / 16

// @ts-ignore: decorator
@inline
function high(x: v128): v128 {
  return v128.shuffle<i32>(x, x, 2, 3, 0, 1)
}

/** The four lanes in float64, as (lane 0 + lane 2, lane 1 + lane 3). */
// @ts-ignore: decorator
@inline
function wide(x: v128): v128 {
  return f64x2.add(f64x2.promote_low_f32x4(x), f64x2.promote_low_f32x4(high(x)))
}

/** Adds the sum of the lanes of each. */
// @ts-ignore: decorator
@inline
function addPair(to: usize, a: v128, b: v128): void {
  const x = wide(a), y = wide(b)
  const sums = f64x2.add(v128.shuffle<i64>(x, y, 0, 2), v128.shuffle<i64>(x, y, 1, 3))
  v128.store(to, f64x2.add(v128.load(to), sums))
}

/** Number of blocks of four rows by four, of which the second is not before the first. */
// @ts-ignore: decorator
@inline
function blocks(n: i32): i32 {
  const strips = (n + 3) >> 2
  return (strips * (strips + 1)) >> 1
}

/**
 * Length, in float64, of the table of n rows: for strips I <= J of four rows, sixteen distances row by row; then the squared
 * lengths of all rows. Places of pairs that are none, or come twice, hold anything.
 */
export function distancesLength(n: i32): i32 {
  return 16 * blocks(n) + 4 * ((n + 3) >> 2)
}

/** Bytes that {@link spanDistances} works in. */
export function distancesWork(n: i32): i32 {
  const strips = (n + 3) >> 2
  return strips * (<i32>STRIP + 32) + 4 * SPAN + 64
}

/** sums[i] += x[i]. */
export function addDoubles(sums: usize, x: usize, length: i32): void {
  const end = sums + (<usize>length << 3)
  for (; sums < end; sums += 16) {
    v128.store(sums, f64x2.add(v128.load(sums), v128.load(x)))
    x += 16
  }
}

/** Adds the distances over `count` coordinates to the table, span after span; `table` is as long as `sums`. */
export function pairDistances(x: usize, stride: usize, n: i32, count: i32, sums: usize, table: usize, work: usize): void {
  for (let at = 0; at < count; at += SPAN) {
    spanDistances(x + (<usize>at << 2), stride, n, min(SPAN, count - at), table, work)
    addDoubles(sums, table, distancesLength(n))
  }
}

/** Writes the distances over at most a span to `table`. Padding up to a multiple of four must be equal in all rows. */
export function spanDistances(x: usize, stride: usize, n: i32, count: i32, table: usize, work: usize): void {
  const strips = (n + 3) >> 2
  const norms = table + (<usize>blocks(n) << 7)
  const centre = work + <usize>strips * STRIP
  const bytes = <usize>((count + 3) & ~3) << 2
  memory.fill(table, 0, <usize>distancesLength(n) << 3)
  middleOfFive(x, stride, n, bytes, centre)
  for (let i = 0; i < strips; i++)
    pack(x, stride, n, 4 * i, bytes, centre, work + <usize>i * STRIP, norms + (<usize>i << 5))
  products(work, strips, bytes << 2, table)
  distancesOf(x, stride, n, count, table, centre + 4 * SPAN)
}

/** Of five rows spread over all, the middle value of each coordinate. Where liars decide it, all that is lost is time. */
function middleOfFive(x: usize, stride: usize, n: i32, bytes: usize, centre: usize): void {
  const x1 = x + <usize>(n / 5) * stride, x2 = x + <usize>((2 * n) / 5) * stride
  const x3 = x + <usize>((3 * n) / 5) * stride, x4 = x + <usize>((4 * n) / 5) * stride
  for (let p: usize = 0; p < bytes; p += 16) {
    const a = v128.load(x + p), b = v128.load(x1 + p), c = v128.load(x2 + p), d = v128.load(x3 + p)
    const e = v128.load(x4 + p)
    // Neither the least nor the greatest of the first four is the middle of the five.
    const f = f32x4.pmax(f32x4.pmin(a, b), f32x4.pmin(c, d))
    const g = f32x4.pmin(f32x4.pmax(a, b), f32x4.pmax(c, d))
    v128.store(centre + p, f32x4.pmax(f32x4.pmin(f, g), f32x4.pmin(e, f32x4.pmax(f, g))))
  }
}

/** Four rows minus the centre, interleaved by four values, to `strip`; their squared lengths are added to `norms`. */
function pack(x: usize, stride: usize, n: i32, i: i32, bytes: usize, centre: usize, strip: usize, norms: usize): void {
  const x0 = x + <usize>i * stride, x1 = x + <usize>min(i + 1, n - 1) * stride
  const x2 = x + <usize>min(i + 2, n - 1) * stride, x3 = x + <usize>min(i + 3, n - 1) * stride
  for (let from: usize = 0; from < bytes; from += 4 * GROUP) {
    let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0
    const end = min(bytes, from + 4 * GROUP)
    for (let p = from; p < end; p += 16) {
      const c = v128.load(centre + p)
      const a = v128.load(x0 + p), b = v128.load(x1 + p), d = v128.load(x2 + p), e = v128.load(x3 + p)
      s0 = f32x4.add(s0, f32x4.mul(a, a))
      s1 = f32x4.add(s1, f32x4.mul(b, b))
      s2 = f32x4.add(s2, f32x4.mul(d, d))
      s3 = f32x4.add(s3, f32x4.mul(e, e))
      v128.store(strip, f32x4.sub(a, c))
      v128.store(strip, f32x4.sub(b, c), 16)
      v128.store(strip, f32x4.sub(d, c), 32)
      v128.store(strip, f32x4.sub(e, c), 48)
      strip += 64
    }
    addPair(norms, s0, s1)
    addPair(norms + 16, s2, s3)
  }
}

/** Adds the products of all pairs of rows to the table, group after group. */
function products(packed: usize, strips: i32, bytes: usize, table: usize): void {
  const end = packed + <usize>strips * STRIP
  for (let a = packed; a < end; a += STRIP)
    for (let b = a; b < end; b += STRIP) {
      for (let at: usize = 0; at < bytes; at += PART) {
        product(a + at, b + at, min(PART, bytes - at), table)
        product(a + at, b + at + 32, min(PART, bytes - at), table + 16)
      }
      table += 128
    }
}

/** Four rows by two. */
function product(a: usize, b: usize, bytes: usize, to: usize): void {
  let c00 = f32x4.splat(0), c01 = c00, c10 = c00, c11 = c00, c20 = c00, c21 = c00, c30 = c00, c31 = c00
  const end = a + bytes
  while (a < end) {
    const y0 = v128.load(b), y1 = v128.load(b, 16)
    const x0 = v128.load(a)
    c00 = f32x4.add(c00, f32x4.mul(x0, y0))
    c01 = f32x4.add(c01, f32x4.mul(x0, y1))
    const x1 = v128.load(a, 16)
    c10 = f32x4.add(c10, f32x4.mul(x1, y0))
    c11 = f32x4.add(c11, f32x4.mul(x1, y1))
    const x2 = v128.load(a, 32)
    c20 = f32x4.add(c20, f32x4.mul(x2, y0))
    c21 = f32x4.add(c21, f32x4.mul(x2, y1))
    const x3 = v128.load(a, 48)
    c30 = f32x4.add(c30, f32x4.mul(x3, y0))
    c31 = f32x4.add(c31, f32x4.mul(x3, y1))
    a += 64
    b += 64
  }
  addPair(to, c00, c01)
  addPair(to + 32, c10, c11)
  addPair(to + 64, c20, c21)
  addPair(to + 96, c30, c31)
}

/** Turns products into distances, in place. `spare`: the squared lengths from the centre, and eight sums. */
function distancesOf(x: usize, stride: usize, n: i32, count: i32, table: usize, spare: usize): void {
  const strips = (n + 3) >> 2
  const again = spare + (<usize>strips << 5)
  let at = table
  for (let i = 0; i < strips; i++) {
    for (let r: usize = 0; r < 4; r++) store<f64>(spare + (<usize>i << 5) + (r << 3), load<f64>(at + 40 * r))
    at += <usize>(strips - i) << 7
  }
  for (let i = 0; i < strips; i++)
    for (let j = i; j < strips; j++) {
      tileDistances(x, stride, n, count, 4 * i, 4 * j, table, spare, again)
      tileDistances(x, stride, n, count, 4 * i, 4 * j + 2, table + 16, spare, again)
      table += 128
    }
}

/** Rows i..i+3 with rows j and j+1. All eight are measured again where one has to be; it depends on itself alone whether that counts. */
function tileDistances(
  x: usize, stride: usize, n: i32, count: i32, i: i32, j: i32, at: usize, lengths: usize, again: usize,
): void {
  let measured = false
  for (let r = 0; r < 4; r++)
    for (let c = 0; c < 2; c++) {
      if (i + r >= j + c || j + c >= n) continue
      const to = at + (<usize>r << 5) + (<usize>c << 3)
      const both = load<f64>(lengths + (<usize>(i + r) << 3)) + load<f64>(lengths + (<usize>(j + c) << 3))
      let distance = both - 2 * load<f64>(to)
      // Also where it is NaN, for a row or for the centre: differences know of no centre.
      if (!(distance >= NEAR * both)) {
        if (!measured) differences(x, stride, n, count, i, j, again)
        measured = true
        distance = load<f64>(again + (<usize>(2 * r + c) << 3))
      }
      store<f64>(to, distance)
    }
}
