// Masked integers: stochastic rounding to them, and sums mod 2^32 and 2^64, where integer SIMD wraps by itself. Lengths of
// sums are bytes, multiples of the integer.

/** sum[i] += x[i] mod 2^32. */
export function addWords32(sum: usize, x: usize, bytes: usize): void {
  const vectors = bytes & ~31
  for (let i: usize = 0; i < vectors; i += 32) {
    v128.store(sum + i, i32x4.add(v128.load(sum + i), v128.load(x + i)))
    v128.store(sum + i, i32x4.add(v128.load(sum + i, 16), v128.load(x + i, 16)), 16)
  }
  for (let i = vectors; i < bytes; i += 4) store<u32>(sum + i, load<u32>(sum + i) + load<u32>(x + i))
}

/** sum[i] -= x[i] mod 2^32. */
export function subtractWords32(sum: usize, x: usize, bytes: usize): void {
  const vectors = bytes & ~31
  for (let i: usize = 0; i < vectors; i += 32) {
    v128.store(sum + i, i32x4.sub(v128.load(sum + i), v128.load(x + i)))
    v128.store(sum + i, i32x4.sub(v128.load(sum + i, 16), v128.load(x + i, 16)), 16)
  }
  for (let i = vectors; i < bytes; i += 4) store<u32>(sum + i, load<u32>(sum + i) - load<u32>(x + i))
}

// @ts-ignore: decorator
@inline
function four32(x: usize, stride: usize): v128 {
  const first = i32x4.add(v128.load(x), v128.load(x + stride))
  x += 2 * stride
  return i32x4.add(first, i32x4.add(v128.load(x), v128.load(x + stride)))
}

// @ts-ignore: decorator
@inline
function fourWords32(x: usize, stride: usize): u32 {
  return load<u32>(x) + load<u32>(x + stride) + load<u32>(x + 2 * stride) + load<u32>(x + 3 * stride)
}

/** sum[i] += x[i] + y[i] + z[i] + w[i] mod 2^32, which lie `stride` bytes apart: the sum is read and written once. */
export function addFour32(sum: usize, x: usize, stride: usize, bytes: usize): void {
  const vectors = bytes & ~15
  for (let i: usize = 0; i < vectors; i += 16)
    v128.store(sum + i, i32x4.add(v128.load(sum + i), four32(x + i, stride)))
  for (let i = vectors; i < bytes; i += 4) store<u32>(sum + i, load<u32>(sum + i) + fourWords32(x + i, stride))
}

/** sum[i] -= x[i] + y[i] + z[i] + w[i] mod 2^32. */
export function subtractFour32(sum: usize, x: usize, stride: usize, bytes: usize): void {
  const vectors = bytes & ~15
  for (let i: usize = 0; i < vectors; i += 16)
    v128.store(sum + i, i32x4.sub(v128.load(sum + i), four32(x + i, stride)))
  for (let i = vectors; i < bytes; i += 4) store<u32>(sum + i, load<u32>(sum + i) - fourWords32(x + i, stride))
}

/** sum[i] += x[i] mod 2^64. */
export function addWords64(sum: usize, x: usize, bytes: usize): void {
  const vectors = bytes & ~15
  for (let i: usize = 0; i < vectors; i += 16)
    v128.store(sum + i, i64x2.add(v128.load(sum + i), v128.load(x + i)))
  if (vectors < bytes) store<u64>(sum + vectors, load<u64>(sum + vectors) + load<u64>(x + vectors))
}

/** sum[i] -= x[i] mod 2^64. */
export function subtractWords64(sum: usize, x: usize, bytes: usize): void {
  const vectors = bytes & ~15
  for (let i: usize = 0; i < vectors; i += 16)
    v128.store(sum + i, i64x2.sub(v128.load(sum + i), v128.load(x + i)))
  if (vectors < bytes) store<u64>(sum + vectors, load<u64>(sum + vectors) - load<u64>(x + vectors))
}

// @ts-ignore: decorator
@inline
const TWO_32: f64 = 4294967296

/** 1.5 * 2^52: an integer of 32 bits that is added to it is the lower half of the sum's bits, without a conversion. */
// @ts-ignore: decorator
@inline
const INTEGER: f64 = 6755399441055744

/** Integers in the lower halves of the lanes. */
// @ts-ignore: decorator
@inline
function roundPair(value: v128, draws: v128): v128 {
  const floor = f64x2.floor(value)
  const fraction = f64x2.mul(f64x2.sub(value, floor), f64x2.splat(TWO_32))
  const up = f64x2.lt(f64x2.convert_low_i32x4_u(draws), fraction)
  return f64x2.add(f64x2.add(floor, f64x2.splat(INTEGER)), v128.and(up, f64x2.splat(1)))
}

/**
 * out[i] = x[i] * factor in float64, clipped to [-bound, bound], rounded up where draw[i] < fraction * 2^32, down elsewhere.
 * Returns how many were clipped, or -1 if a product is not finite. Reads and writes up to a multiple of four.
 */
export function roundWords32(x: usize, count: i32, factor: f64, bound: f64, draws: usize, out: usize): i32 {
  const by = f64x2.splat(factor), top = f64x2.splat(bound), bottom = f64x2.splat(-bound)
  let wrong = f64x2.splat(0), clipped = i64x2.splat(0)
  const end = x + (<usize>count << 2)
  for (let p = x; p < end; p += 16, draws += 16, out += 16) {
    const values = v128.load(p), d = v128.load(draws)
    let a = f64x2.mul(f64x2.promote_low_f32x4(values), by)
    let b = f64x2.mul(f64x2.promote_low_f32x4(v128.shuffle<i32>(values, values, 2, 3, 0, 1)), by)
    // Zero for what is finite, NaN for the rest.
    wrong = f64x2.add(wrong, f64x2.add(f64x2.sub(a, a), f64x2.sub(b, b)))
    clipped = i64x2.sub(clipped, i64x2.add(f64x2.gt(f64x2.abs(a), top), f64x2.gt(f64x2.abs(b), top)))
    // Pseudo-minima are one instruction; they differ for NaN alone.
    a = f64x2.pmax(f64x2.pmin(a, top), bottom)
    b = f64x2.pmax(f64x2.pmin(b, top), bottom)
    const low = roundPair(a, d), high = roundPair(b, v128.shuffle<i32>(d, d, 2, 3, 0, 1))
    v128.store(out, v128.shuffle<i32>(low, high, 0, 2, 4, 6))
  }
  const sum = f64x2.extract_lane(wrong, 0) + f64x2.extract_lane(wrong, 1)
  if (sum != 0) return -1
  return <i32>(i64x2.extract_lane(clipped, 0) + i64x2.extract_lane(clipped, 1))
}
