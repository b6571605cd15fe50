// Robust statistics over the rows of a block, coordinate by coordinate. Rows are `stride` bytes
// apart, sixteen coordinates are worked on together, and what lies between a row's length and its stride may be anything.

import { rowDistances } from './differences'
import { addDoubles } from './distances'

/** Bytes of sixteen coordinates. */
const LANES: usize = 64

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

/** Columns whose rows are still near when their distances to the result are taken. Whoever divides the work divides it here. */
const TILE: i32 = 1024

/**
 * out[c] = mean of wires from..to-1 of the network over column c: the median, or the mean without the extremes. Unless
 * `sums` is 0: sums[i] += |x_i - out|^2, and as many float64 as n, rounded up to an even number, have room there.
 */
export function sortedMean(
  x: usize, stride: usize, n: i32, count: i32, pairs: usize, pairCount: i32, from: i32, to: i32, block: usize, out: usize, sums: usize,
): void {
  for (let at = 0; at < count; at += TILE) {
    const bytes = <usize>at << 2
    const tile = sums == 0 ? sums : block
    tileMean(x + bytes, stride, n, min(TILE, count - at), pairs, pairCount, from, to, block, out + bytes, tile)
    if (sums != 0) addDoubles(sums, block, (n + 1) & ~1)
  }
}

/** The same for at most a tile of columns, whose distances are written to `tile` and not added. It may be `block`. */
export function tileMean(
  x: usize, stride: usize, n: i32, count: i32, pairs: usize, pairCount: i32, from: i32, to: i32, block: usize, out: usize, tile: usize,
): void {
  for (let at = 0; at < count; at += 16) {
    spread(x + (<usize>at << 2), stride, n, block)
    exchange(block, pairs, pairCount)
    meansOf(block, from, to, out + (<usize>at << 2))
  }
  if (tile == 0) return
  memory.fill(tile, 0, <usize>((n + 1) & ~1) << 3)
  rowDistances(x, stride, n, out, count, tile)
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
