// Smooth activations over flat vectors. `x` may be `out`, `g` may be `gx`.

import { loadPart, madd, sigmoid4, storePart, tanh4 } from './lanes'

const SQRT_8_OVER_PI: f32 = 1.5957691216057308
const CUBIC: f32 = 0.044715

/** x sigmoid(sqrt(8 / pi) (x + 0.044715 x^3)): the tanh form of GELU (Hendrycks and Gimpel 2016), without tanh. */
// @ts-ignore: decorator
@inline
function gelu4(x: v128): v128 {
  const cubic = madd(f32x4.mul(x, x), f32x4.splat(CUBIC), f32x4.splat(1))
  return f32x4.mul(x, sigmoid4(f32x4.mul(f32x4.mul(x, cubic), f32x4.splat(SQRT_8_OVER_PI))))
}

/** With s the sigmoid and u its argument: s + x s (1 - s) du/dx. */
// @ts-ignore: decorator
@inline
function geluSlope4(x: v128): v128 {
  const one = f32x4.splat(1)
  const square = f32x4.mul(x, x)
  const u = f32x4.mul(f32x4.mul(x, madd(square, f32x4.splat(CUBIC), one)), f32x4.splat(SQRT_8_OVER_PI))
  const slope = f32x4.mul(madd(square, f32x4.splat(3 * CUBIC), one), f32x4.splat(SQRT_8_OVER_PI))
  const s = sigmoid4(u)
  return madd(f32x4.mul(f32x4.mul(x, s), f32x4.sub(one, s)), slope, s)
}

export function gelu(x: usize, out: usize, n: i32): void {
  const end = <usize>(n & ~3) << 2
  for (let i: usize = 0; i < end; i += 16) v128.store(out + i, gelu4(v128.load(x + i)))
  const rest = n & 3
  if (rest) storePart(out + end, gelu4(loadPart(x + end, rest)), rest)
}

/** gx = g gelu'(x). */
export function geluBackward(g: usize, x: usize, gx: usize, n: i32): void {
  const end = <usize>(n & ~3) << 2
  for (let i: usize = 0; i < end; i += 16)
    v128.store(gx + i, f32x4.mul(v128.load(g + i), geluSlope4(v128.load(x + i))))
  const rest = n & 3
  if (rest) storePart(gx + end, f32x4.mul(loadPart(g + end, rest), geluSlope4(loadPart(x + end, rest))), rest)
}

export function tanhOf(x: usize, out: usize, n: i32): void {
  const end = <usize>(n & ~3) << 2
  for (let i: usize = 0; i < end; i += 16) v128.store(out + i, tanh4(v128.load(x + i)))
  const rest = n & 3
  if (rest) storePart(out + end, tanh4(loadPart(x + end, rest)), rest)
}

// @ts-ignore: decorator
@inline
function tanhSlope4(g: v128, y: v128): v128 {
  return f32x4.mul(g, f32x4.sub(f32x4.splat(1), f32x4.mul(y, y)))
}

/** gx = g (1 - y^2), y = tanh x. */
export function tanhBackward(g: usize, y: usize, gx: usize, n: i32): void {
  const end = <usize>(n & ~3) << 2
  for (let i: usize = 0; i < end; i += 16) v128.store(gx + i, tanhSlope4(v128.load(g + i), v128.load(y + i)))
  const rest = n & 3
  if (rest) storePart(gx + end, tanhSlope4(loadPart(g + end, rest), loadPart(y + end, rest)), rest)
}

export function sigmoidOf(x: usize, out: usize, n: i32): void {
  const end = <usize>(n & ~3) << 2
  for (let i: usize = 0; i < end; i += 16) v128.store(out + i, sigmoid4(v128.load(x + i)))
  const rest = n & 3
  if (rest) storePart(out + end, sigmoid4(loadPart(x + end, rest)), rest)
}

// @ts-ignore: decorator
@inline
function sigmoidSlope4(g: v128, y: v128): v128 {
  return f32x4.mul(g, f32x4.mul(y, f32x4.sub(f32x4.splat(1), y)))
}

/** gx = g y (1 - y), y = sigmoid x. */
export function sigmoidBackward(g: usize, y: usize, gx: usize, n: i32): void {
  const end = <usize>(n & ~3) << 2
  for (let i: usize = 0; i < end; i += 16) v128.store(gx + i, sigmoidSlope4(v128.load(g + i), v128.load(y + i)))
  const rest = n & 3
  if (rest) storePart(gx + end, sigmoidSlope4(loadPart(g + end, rest), loadPart(y + end, rest)), rest)
}
