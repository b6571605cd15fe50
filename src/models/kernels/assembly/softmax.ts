// Softmax of each row of a row-major matrix.

import { exp4, loadPart, madd, maxLanes, storePart, sumLanes } from './lanes'

/** out[r] = e^(x[r] - max) / sum. `out` may be `x`; -infinity gets a probability of zero, unless the whole row is. */
export function softmax(x: usize, out: usize, rows: i32, columns: i32): void {
  const bytes = <usize>columns << 2
  const end = <usize>(columns & ~3) << 2
  const rest = columns & 3
  for (let r = 0; r < rows; r++) {
    const row = x + <usize>r * bytes
    const to = out + <usize>r * bytes
    let top = f32x4.splat(-Infinity)
    for (let i: usize = 0; i < end; i += 16) top = f32x4.max(top, v128.load(row + i))
    let highest = maxLanes(top)
    for (let i = end; i < bytes; i += 4) highest = max<f32>(highest, load<f32>(row + i))
    const m = f32x4.splat(highest)
    const total = exponentials(row, to, m, end, rest)
    const scale = f32x4.splat(<f32>1 / total)
    for (let i: usize = 0; i < end; i += 16) v128.store(to + i, f32x4.mul(v128.load(to + i), scale))
    if (rest) storePart(to + end, f32x4.mul(loadPart(to + end, rest), scale), rest)
  }
}

/** e^(x - m), exactly zero below the range of exp4. */
// @ts-ignore: decorator
@inline
function exponential(x: v128, m: v128): v128 {
  const difference = f32x4.sub(x, m)
  return v128.andnot(exp4(difference), f32x4.lt(difference, f32x4.splat(-87)))
}

/** Writes e^(x - m) and returns the sum. */
function exponentials(row: usize, to: usize, m: v128, end: usize, rest: i32): f32 {
  let sum = f32x4.splat(0)
  for (let i: usize = 0; i < end; i += 16) {
    const e = exponential(v128.load(row + i), m)
    v128.store(to + i, e)
    sum = f32x4.add(sum, e)
  }
  if (rest) {
    storePart(to + end, exponential(loadPart(row + end, rest), m), rest)
    sum = f32x4.add(sum, loadPart(to + end, rest))
  }
  return sumLanes(sum)
}

/** gx = y (g - sum of g y). `gx` may be `g`. */
export function softmaxBackward(g: usize, y: usize, gx: usize, rows: i32, columns: i32): void {
  const bytes = <usize>columns << 2
  const end = <usize>(columns & ~3) << 2
  const rest = columns & 3
  for (let r = 0; r < rows; r++) {
    const gRow = g + <usize>r * bytes
    const yRow = y + <usize>r * bytes
    const to = gx + <usize>r * bytes
    let sum = f32x4.splat(0)
    for (let i: usize = 0; i < end; i += 16) sum = madd(v128.load(gRow + i), v128.load(yRow + i), sum)
    if (rest) sum = madd(loadPart(gRow + end, rest), loadPart(yRow + end, rest), sum)
    const dot = f32x4.splat(sumLanes(sum))
    for (let i: usize = 0; i < end; i += 16)
      v128.store(to + i, f32x4.mul(v128.load(yRow + i), f32x4.sub(v128.load(gRow + i), dot)))
    if (rest) storePart(to + end, f32x4.mul(loadPart(yRow + end, rest), f32x4.sub(loadPart(gRow + end, rest), dot)), rest)
  }
}
