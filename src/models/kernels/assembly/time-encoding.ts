// Fixed time encoding: cosines of very large angles (a billion seconds), which need their range reduced in float64.

import { madd, storePart, loadPart } from './lanes'

const PI_HIGH: f64 = 3.141592502593994
const PI_LOW: f64 = 1.5099579909783765e-7
const ONE_OVER_PI: f64 = 0.3183098861837907
/** 1.5 * 2^52: adding it rounds to an integer and leaves that in the low bits. */
const ROUND: f64 = 6755399441055744

/**
 * Angle minus the nearest multiple k of pi. PI_HIGH has 24 bits, so k PI_HIGH is exact while |k| < 2^29; the product of
 * two float32 in float64 is exact, too. `k` comes in as ROUND + k.
 */
// @ts-ignore: decorator
@inline
function reduced(angle: v128, shifted: v128): v128 {
  const k = f64x2.sub(shifted, f64x2.splat(ROUND))
  const near = f64x2.sub(angle, f64x2.mul(k, f64x2.splat(PI_HIGH)))
  return f64x2.sub(near, f64x2.mul(k, f64x2.splat(PI_LOW)))
}

/** cos(age w) of four frequencies, within 2e-7 for |age w| <= 1e9; `age` is a float64 twice. */
// @ts-ignore: decorator
@inline
function cos4(age: v128, w: v128): v128 {
  const one = f64x2.splat(ONE_OVER_PI), round = f64x2.splat(ROUND)
  const low = f64x2.mul(age, f64x2.promote_low_f32x4(w))
  const high = f64x2.mul(age, f64x2.promote_low_f32x4(v128.shuffle<i32>(w, w, 2, 3, 0, 1)))
  const kLow = f64x2.add(f64x2.mul(low, one), round)
  const kHigh = f64x2.add(f64x2.mul(high, one), round)
  const rLow = f32x4.demote_f64x2_zero(reduced(low, kLow))
  const rHigh = f32x4.demote_f64x2_zero(reduced(high, kHigh))
  const r = v128.shuffle<i32>(rLow, rHigh, 0, 1, 4, 5)
  // Odd multiples of pi turn the sign: the low bit of k becomes the sign bit.
  const odd = i32x4.shl(v128.shuffle<i32>(kLow, kHigh, 0, 2, 4, 6), 31)
  const z = f32x4.mul(r, r)
  let p = madd(z, f32x4.splat(-2.6076791499458834e-7), f32x4.splat(2.4761873314311528e-5))
  p = madd(p, z, f32x4.splat(-0.0013888403378125218))
  p = madd(p, z, f32x4.splat(0.04166664073098718))
  p = madd(p, z, f32x4.splat(-0.4999999955010519))
  return v128.xor(madd(p, z, f32x4.splat(1)), odd)
}

/** out[r][i] = cos(age[r] * omega[i]), `d` frequencies; angles up to 1e9. (Cong et al. 2023, section 3.1) */
export function timeEncoding(age: usize, omega: usize, out: usize, rows: i32, d: i32): void {
  const bytes = <usize>d << 2
  const end = <usize>(d & ~3) << 2
  const rest = d & 3
  for (let r = 0; r < rows; r++) {
    const t = f64x2.splat(<f64>load<f32>(age + (<usize>r << 2)))
    const to = out + <usize>r * bytes
    for (let i: usize = 0; i < end; i += 16) v128.store(to + i, cos4(t, v128.load(omega + i)))
    if (rest) storePart(to + end, cos4(t, loadPart(omega + end, rest)), rest)
  }
}
