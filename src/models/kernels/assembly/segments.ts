// Reductions over graph neighbourhoods in compressed rows (CSR): segment s owns indices[pointers[s] .. pointers[s + 1]].
// Everything gathers; nothing scatters, so the order of additions is that of the indices and no two writes meet.

import { madd } from './lanes'

// @ts-ignore: decorator
@inline
function pointer(pointers: usize, s: i32): u32 {
  return load<u32>(pointers + (<usize>s << 2))
}

/** Sum of the gathered rows, each times its weight if there are weights, times `scale`; columns at byte `c`, 32 wide. */
// @ts-ignore: decorator
@inline
function wide(x: usize, bytes: usize, first: usize, last: usize, weights: usize, scale: v128, to: usize): void {
  let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0, s4 = s0, s5 = s0, s6 = s0, s7 = s0
  for (let p = first; p < last; p += 4) {
    const index = <usize>load<u32>(p)
    const row = x + index * bytes
    if (weights) {
      const w = v128.load32_splat(weights + (index << 2))
      s0 = madd(w, v128.load(row), s0)
      s1 = madd(w, v128.load(row, 16), s1)
      s2 = madd(w, v128.load(row, 32), s2)
      s3 = madd(w, v128.load(row, 48), s3)
      s4 = madd(w, v128.load(row, 64), s4)
      s5 = madd(w, v128.load(row, 80), s5)
      s6 = madd(w, v128.load(row, 96), s6)
      s7 = madd(w, v128.load(row, 112), s7)
    } else {
      s0 = f32x4.add(v128.load(row), s0)
      s1 = f32x4.add(v128.load(row, 16), s1)
      s2 = f32x4.add(v128.load(row, 32), s2)
      s3 = f32x4.add(v128.load(row, 48), s3)
      s4 = f32x4.add(v128.load(row, 64), s4)
      s5 = f32x4.add(v128.load(row, 80), s5)
      s6 = f32x4.add(v128.load(row, 96), s6)
      s7 = f32x4.add(v128.load(row, 112), s7)
    }
  }
  v128.store(to, f32x4.mul(s0, scale))
  v128.store(to, f32x4.mul(s1, scale), 16)
  v128.store(to, f32x4.mul(s2, scale), 32)
  v128.store(to, f32x4.mul(s3, scale), 48)
  v128.store(to, f32x4.mul(s4, scale), 64)
  v128.store(to, f32x4.mul(s5, scale), 80)
  v128.store(to, f32x4.mul(s6, scale), 96)
  v128.store(to, f32x4.mul(s7, scale), 112)
}

// @ts-ignore: decorator
@inline
function narrow(x: usize, bytes: usize, first: usize, last: usize, weights: usize, scale: v128, to: usize): void {
  let sum = f32x4.splat(0)
  for (let p = first; p < last; p += 4) {
    const index = <usize>load<u32>(p)
    const w = weights ? v128.load32_splat(weights + (index << 2)) : f32x4.splat(1)
    sum = madd(w, v128.load(x + index * bytes), sum)
  }
  v128.store(to, f32x4.mul(sum, scale))
}

// @ts-ignore: decorator
@inline
function single(x: usize, bytes: usize, first: usize, last: usize, weights: usize, scale: v128, to: usize): void {
  let sum: f32 = 0
  for (let p = first; p < last; p += 4) {
    const index = <usize>load<u32>(p)
    const w: f32 = weights ? load<f32>(weights + (index << 2)) : 1
    sum = w * load<f32>(x + index * bytes) + sum
  }
  store<f32>(to, sum * f32x4.extract_lane(scale, 0))
}

// @ts-ignore: decorator
@inline
function reduce(x: usize, pointers: usize, indices: usize, weights: usize, out: usize, segments: i32, columns: i32, mean: bool): void {
  const bytes = <usize>columns << 2
  for (let s = 0; s < segments; s++) {
    const begin = pointer(pointers, s), end = pointer(pointers, s + 1)
    const first = indices + (<usize>begin << 2), last = indices + (<usize>end << 2)
    const scale = f32x4.splat(mean && end > begin ? <f32>1 / <f32>(end - begin) : 1)
    const to = out + <usize>s * bytes
    let c: usize = 0
    for (; c + 128 <= bytes; c += 128) wide(x + c, bytes, first, last, weights, scale, to + c)
    for (; c + 16 <= bytes; c += 16) narrow(x + c, bytes, first, last, weights, scale, to + c)
    for (; c < bytes; c += 4) single(x + c, bytes, first, last, weights, scale, to + c)
  }
}

/** out[s] = sum of x[index]; zero for an empty segment. Its backward is the same kernel with the transposed CSR. */
export function segmentSum(x: usize, pointers: usize, indices: usize, out: usize, segments: i32, columns: i32): void {
  reduce(x, pointers, indices, 0, out, segments, columns, false)
}

/** out[s] = mean of x[index]; zero for an empty segment. */
export function segmentMean(x: usize, pointers: usize, indices: usize, out: usize, segments: i32, columns: i32): void {
  reduce(x, pointers, indices, 0, out, segments, columns, true)
}

/** out[s] = sum of weights[index] x[index]. */
export function segmentWeightedSum(x: usize, pointers: usize, indices: usize, weights: usize, out: usize, segments: i32, columns: i32): void {
  reduce(x, pointers, indices, weights, out, segments, columns, false)
}

/** weights[s] = 1 / (entries of segment s), 0 for none: what the backward of a mean weighs gradients with. */
export function inverseCounts(pointers: usize, weights: usize, segments: i32): void {
  for (let s = 0; s < segments; s++) {
    const count = pointer(pointers, s + 1) - pointer(pointers, s)
    store<f32>(weights + (<usize>s << 2), count ? <f32>1 / <f32>count : 0)
  }
}

/**
 * The transposed CSR, by a stable counting sort: row j lists, ascending, the segments that hold index j, as often as they
 * do. `toPointers` has rows + 1 entries, `toIndices` as many as `indices`; every index must be below `rows`.
 */
export function transposeCsr(pointers: usize, indices: usize, segments: i32, toPointers: usize, toIndices: usize, rows: i32): void {
  memory.fill(toPointers, 0, (<usize>rows + 1) << 2)
  const first = indices + (<usize>pointer(pointers, 0) << 2), last = indices + (<usize>pointer(pointers, segments) << 2)
  for (let p = first; p < last; p += 4) {
    const at = toPointers + (<usize>load<u32>(p) << 2)
    store<u32>(at, load<u32>(at) + 1)
  }
  // Ends of the rows; filling from the back turns them into beginnings.
  let total: u32 = 0
  for (let r = 0; r <= rows; r++) {
    const at = toPointers + (<usize>r << 2)
    total += load<u32>(at)
    store<u32>(at, total)
  }
  for (let s = segments - 1; s >= 0; s--)
    for (let e = pointer(pointers, s + 1); e > pointer(pointers, s); e--) {
      const at = toPointers + (<usize>load<u32>(indices + (<usize>(e - 1) << 2)) << 2)
      const place = load<u32>(at) - 1
      store<u32>(at, place)
      store<u32>(toIndices + (<usize>place << 2), <u32>s)
    }
}

/** out[i] = x[indices[i]]. Its backward is {@link segmentSum} over the transposed CSR. */
export function gatherRows(x: usize, indices: usize, out: usize, rows: i32, columns: i32): void {
  const bytes = <usize>columns << 2
  for (let r = 0; r < rows; r++)
    memory.copy(out + <usize>r * bytes, x + <usize>load<u32>(indices + (<usize>r << 2)) * bytes, bytes)
}
