// |x| < infinity is false for NaN and for both infinities: one comparison per value.

/** 1 when each of the `n` floats at `x` is finite. */
export function finite(x: usize, n: i32): i32 {
  const infinity = f32x4.splat(Infinity)
  let ok = i32x4.splat(-1)
  const end = x + (<usize>n << 2)
  const vectorEnd = x + (<usize>(n & ~15) << 2)
  let p = x
  for (; p < vectorEnd; p += 64) {
    const low = v128.and(
      f32x4.lt(f32x4.abs(v128.load(p)), infinity),
      f32x4.lt(f32x4.abs(v128.load(p, 16)), infinity),
    )
    const high = v128.and(
      f32x4.lt(f32x4.abs(v128.load(p, 32)), infinity),
      f32x4.lt(f32x4.abs(v128.load(p, 48)), infinity),
    )
    ok = v128.and(ok, v128.and(low, high))
  }
  let rest = 1
  for (; p < end; p += 4) rest &= i32(abs(load<f32>(p)) < Infinity)
  return i32(i32x4.all_true(ok)) & rest
}
