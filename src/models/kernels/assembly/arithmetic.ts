// Vector arithmetic over `n` floats.

import { loadPart, madd, storePart } from './lanes'

/** y += a x. */
export function axpy(a: f32, x: usize, y: usize, n: i32): void {
  const k = f32x4.splat(a)
  const end = <usize>(n & ~3) << 2
  for (let i: usize = 0; i < end; i += 16) v128.store(y + i, madd(k, v128.load(x + i), v128.load(y + i)))
  const rest = n & 3
  if (rest) storePart(y + end, madd(k, loadPart(x + end, rest), loadPart(y + end, rest)), rest)
}

/** x *= a. */
export function scale(a: f32, x: usize, n: i32): void {
  const k = f32x4.splat(a)
  const end = <usize>(n & ~3) << 2
  for (let i: usize = 0; i < end; i += 16) v128.store(x + i, f32x4.mul(k, v128.load(x + i)))
  const rest = n & 3
  if (rest) storePart(x + end, f32x4.mul(k, loadPart(x + end, rest)), rest)
}

/** out = x + y; may be either of them. */
export function addOf(x: usize, y: usize, out: usize, n: i32): void {
  const end = <usize>(n & ~3) << 2
  for (let i: usize = 0; i < end; i += 16) v128.store(out + i, f32x4.add(v128.load(x + i), v128.load(y + i)))
  const rest = n & 3
  if (rest) storePart(out + end, f32x4.add(loadPart(x + end, rest), loadPart(y + end, rest)), rest)
}

/** out = x * y by element; may be either of them. */
export function multiplyOf(x: usize, y: usize, out: usize, n: i32): void {
  const end = <usize>(n & ~3) << 2
  for (let i: usize = 0; i < end; i += 16) v128.store(out + i, f32x4.mul(v128.load(x + i), v128.load(y + i)))
  const rest = n & 3
  if (rest) storePart(out + end, f32x4.mul(loadPart(x + end, rest), loadPart(y + end, rest)), rest)
}
