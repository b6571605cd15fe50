// The sum of clipped gradients in whole steps of a grid (models/dp-sgd): integers, so that one example moves it by no more
// than its own length, whatever is added in which order. Products are rounded to float32, then towards zero.

/** sum[i] += trunc(x[i] * factor) mod 2^32; a NaN adds nothing. Multiples of 16 bytes are not needed. */
export function addSteps(sum: usize, x: usize, n: i32, factor: f32): void {
  const by = f32x4.splat(factor)
  const end = x + (<usize>n << 2)
  const vectorEnd = x + (<usize>(n & ~7) << 2)
  let s = sum
  let p = x
  for (; p < vectorEnd; p += 32) {
    const low = i32x4.trunc_sat_f32x4_s(f32x4.mul(v128.load(p), by))
    const high = i32x4.trunc_sat_f32x4_s(f32x4.mul(v128.load(p, 16), by))
    v128.store(s, i32x4.add(v128.load(s), low))
    v128.store(s, i32x4.add(v128.load(s, 16), high), 16)
    s += 32
  }
  for (; p < end; p += 4) {
    const value = load<f32>(p) * factor
    const steps = value == value ? <i32>value : 0
    store<i32>(s, load<i32>(s) + steps)
    s += 4
  }
}
