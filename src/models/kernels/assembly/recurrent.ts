// The pointwise part of a gated recurrent unit (Cho et al. 2014), gates in the order reset, update, new, with the reset
// gate applied after the product with the hidden state: the form that PyTorch and cuDNN compute.

import { loadPart, madd, sigmoid4, storePart, tanh4 } from './lanes'

// @ts-ignore: decorator
@inline
function read(p: usize, count: i32): v128 {
  return count == 4 ? v128.load(p) : loadPart(p, count)
}

// @ts-ignore: decorator
@inline
function write(p: usize, v: v128, count: i32): void {
  if (count == 4) v128.store(p, v)
  else storePart(p, v, count)
}

/**
 * a = x W_a + b_a and u = h W_u + b_u, each [rows][3 size]: r = sigmoid(a0 + u0), z = sigmoid(a1 + u1),
 * n = tanh(a2 + r u2), out = (1 - z) n + z h. `gates` [rows][3 size] receives r, z, n for the way back.
 */
export function gruCell(a: usize, u: usize, h: usize, out: usize, gates: usize, rows: i32, size: i32): void {
  const bytes = <usize>size << 2
  for (let row = 0; row < rows; row++) {
    const wide = <usize>row * 3 * bytes
    const own = <usize>row * bytes
    for (let c = 0; c < size; c += 4) {
      const count = min(4, size - c)
      const at = wide + (<usize>c << 2)
      const r = sigmoid4(f32x4.add(read(a + at, count), read(u + at, count)))
      const z = sigmoid4(f32x4.add(read(a + at + bytes, count), read(u + at + bytes, count)))
      const n = tanh4(madd(r, read(u + at + 2 * bytes, count), read(a + at + 2 * bytes, count)))
      const before = read(h + own + (<usize>c << 2), count)
      write(gates + at, r, count)
      write(gates + at + bytes, z, count)
      write(gates + at + 2 * bytes, n, count)
      write(out + own + (<usize>c << 2), madd(z, f32x4.sub(before, n), n), count)
    }
  }
}

/**
 * From g = dL/d out: ga = dL/da, gu = dL/du, and the direct part gh = g z of dL/dh; the caller adds gu W_u^T to it, and
 * makes the gradients of weights and biases from ga and gu.
 */
export function gruCellBackward(
  g: usize, gates: usize, u: usize, h: usize, ga: usize, gu: usize, gh: usize, rows: i32, size: i32,
): void {
  const bytes = <usize>size << 2
  const one = f32x4.splat(1)
  for (let row = 0; row < rows; row++) {
    const wide = <usize>row * 3 * bytes
    const own = <usize>row * bytes
    for (let c = 0; c < size; c += 4) {
      const count = min(4, size - c)
      const at = wide + (<usize>c << 2)
      const to = own + (<usize>c << 2)
      const r = read(gates + at, count), z = read(gates + at + bytes, count), n = read(gates + at + 2 * bytes, count)
      const gradient = read(g + to, count)
      const gn = f32x4.mul(f32x4.mul(gradient, f32x4.sub(one, z)), f32x4.sub(one, f32x4.mul(n, n)))
      const gz = f32x4.mul(f32x4.mul(gradient, f32x4.sub(read(h + to, count), n)), f32x4.mul(z, f32x4.sub(one, z)))
      const gr = f32x4.mul(f32x4.mul(gn, read(u + at + 2 * bytes, count)), f32x4.mul(r, f32x4.sub(one, r)))
      write(ga + at, gr, count)
      write(gu + at, gr, count)
      write(ga + at + bytes, gz, count)
      write(gu + at + bytes, gz, count)
      write(ga + at + 2 * bytes, gn, count)
      write(gu + at + 2 * bytes, f32x4.mul(gn, r), count)
      write(gh + to, f32x4.mul(gradient, z), count)
    }
  }
}
