// Four floats at a time: elementary functions with fixed polynomials, and the last one to three values of a row. A value
// gets the same bits in whichever lane it lies. A NaN stays a NaN: pmin(a, b) is a unless b < a.

// @ts-ignore: decorator
@inline
export function madd(a: v128, b: v128, c: v128): v128 {
  return f32x4.add(f32x4.mul(a, b), c)
}

/** The first `count` (1 to 3) floats at `p`; the other lanes are zero. */
// @ts-ignore: decorator
@inline
export function loadPart(p: usize, count: i32): v128 {
  let v = v128.load32_zero(p)
  if (count > 1) v = v128.load32_lane(p, v, 1, 4)
  if (count > 2) v = v128.load32_lane(p, v, 2, 8)
  return v
}

/** Stores the first `count` (1 to 3) lanes. */
// @ts-ignore: decorator
@inline
export function storePart(p: usize, v: v128, count: i32): void {
  v128.store32_lane(p, v, 0)
  if (count > 1) v128.store32_lane(p, v, 1, 4)
  if (count > 2) v128.store32_lane(p, v, 2, 8)
}

/** (lane 0 + lane 2) + (lane 1 + lane 3). */
// @ts-ignore: decorator
@inline
export function sumLanes(v: v128): f32 {
  const pairs = f32x4.add(v, v128.shuffle<i32>(v, v, 2, 3, 0, 1))
  return f32x4.extract_lane(pairs, 0) + f32x4.extract_lane(pairs, 1)
}

// @ts-ignore: decorator
@inline
export function maxLanes(v: v128): f32 {
  const pairs = f32x4.max(v, v128.shuffle<i32>(v, v, 2, 3, 0, 1))
  return max<f32>(f32x4.extract_lane(pairs, 0), f32x4.extract_lane(pairs, 1))
}

/**
 * e^x within 2 units in the last place for -87 <= x <= 88; clamped outside. x = k ln 2 + r; adding 1.5 * 2^23 rounds to
 * the integer k and leaves it in the low bits of the float, from where it moves into the exponent.
 */
// @ts-ignore: decorator
@inline
export function exp4(x: v128): v128 {
  const bounded = f32x4.pmax(f32x4.pmin(x, f32x4.splat(88)), f32x4.splat(-87))
  const shifted = madd(bounded, f32x4.splat(1.4426950408889634), f32x4.splat(12582912))
  const k = f32x4.sub(shifted, f32x4.splat(12582912))
  const near = f32x4.sub(bounded, f32x4.mul(k, f32x4.splat(0.693359375)))
  const r = f32x4.sub(near, f32x4.mul(k, f32x4.splat(-2.12194440e-4)))
  let q = madd(r, f32x4.splat(0.001381672477196179), f32x4.splat(0.008368710297357711))
  q = madd(q, r, f32x4.splat(0.04166834667215578))
  q = madd(q, r, f32x4.splat(0.16666520862637288))
  q = madd(q, r, f32x4.splat(0.4999999365440388))
  const p = f32x4.add(madd(q, f32x4.mul(r, r), r), f32x4.splat(1))
  return i32x4.add(p, i32x4.shl(shifted, 23))
}

/** 1 / (1 + e^-x). */
// @ts-ignore: decorator
@inline
export function sigmoid4(x: v128): v128 {
  const one = f32x4.splat(1)
  return f32x4.div(one, f32x4.add(one, exp4(f32x4.neg(x))))
}

/** tanh x: an odd polynomial below 0.625, where 1 - e^-2|x| would cancel, and (1 - e^-2|x|) / (1 + e^-2|x|) above. */
// @ts-ignore: decorator
@inline
export function tanh4(x: v128): v128 {
  const one = f32x4.splat(1)
  const size = f32x4.abs(x)
  const z = f32x4.mul(x, x)
  let p = madd(z, f32x4.splat(-0.005721629880994733), f32x4.splat(0.020655218398018926))
  p = madd(p, z, f32x4.splat(-0.05374514458715333))
  p = madd(p, z, f32x4.splat(0.13331515172607178))
  p = madd(p, z, f32x4.splat(-0.3333328507518084))
  const small = madd(f32x4.mul(p, z), x, x)
  const e = exp4(f32x4.mul(size, f32x4.splat(-2)))
  const large = f32x4.div(f32x4.sub(one, e), f32x4.add(one, e))
  const signed = v128.or(large, v128.and(x, i32x4.splat(0x80000000)))
  return v128.bitselect(small, signed, f32x4.lt(size, f32x4.splat(0.625)))
}
