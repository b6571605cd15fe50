// Optimiser steps over flat parameter vectors.

/**
 * Adam (Kingma and Ba 2015, algorithm 1). `rate` is the learning rate divided by 1 - beta1^t, `scale` is
 * 1 / sqrt(1 - beta2^t): the caller keeps the powers, since the engine's pow may differ in its last bit.
 */
export function adam(p: usize, g: usize, m: usize, v: usize, n: i32, rate: f32, beta1: f32, beta2: f32, epsilon: f32, scale: f32): void {
  const b1 = f32x4.splat(beta1), c1 = f32x4.splat(1 - beta1)
  const b2 = f32x4.splat(beta2), c2 = f32x4.splat(1 - beta2)
  const r = f32x4.splat(rate), e = f32x4.splat(epsilon), s = f32x4.splat(scale)
  const bytes = <usize>n << 2
  const vectorBytes = <usize>(n & ~3) << 2
  let i: usize = 0
  for (; i < vectorBytes; i += 16) {
    const gradient = v128.load(g + i)
    const first = f32x4.add(f32x4.mul(v128.load(m + i), b1), f32x4.mul(gradient, c1))
    const second = f32x4.add(f32x4.mul(v128.load(v + i), b2), f32x4.mul(f32x4.mul(gradient, gradient), c2))
    v128.store(m + i, first)
    v128.store(v + i, second)
    const step = f32x4.div(f32x4.mul(first, r), f32x4.add(f32x4.mul(f32x4.sqrt(second), s), e))
    v128.store(p + i, f32x4.sub(v128.load(p + i), step))
  }
  for (; i < bytes; i += 4) {
    const gradient = load<f32>(g + i)
    const first = load<f32>(m + i) * beta1 + gradient * (1 - beta1)
    const second = load<f32>(v + i) * beta2 + gradient * gradient * (1 - beta2)
    store<f32>(m + i, first)
    store<f32>(v + i, second)
    store<f32>(p + i, load<f32>(p + i) - (first * rate) / (sqrt<f32>(second) * scale + epsilon))
  }
}

/** p -= rate * g. */
export function sgd(p: usize, g: usize, n: i32, rate: f32): void {
  const r = f32x4.splat(rate)
  const bytes = <usize>n << 2
  const vectorBytes = <usize>(n & ~3) << 2
  let i: usize = 0
  for (; i < vectorBytes; i += 16) v128.store(p + i, f32x4.sub(v128.load(p + i), f32x4.mul(v128.load(g + i), r)))
  for (; i < bytes; i += 4) store<f32>(p + i, load<f32>(p + i) - load<f32>(g + i) * rate)
}

/** g += mu * (p - anchor): gradient of mu/2 ||p - anchor||^2 (FedProx, Li et al. 2020, equation 2). */
export function proximal(g: usize, p: usize, anchor: usize, n: i32, mu: f32): void {
  const k = f32x4.splat(mu)
  const bytes = <usize>n << 2
  const vectorBytes = <usize>(n & ~3) << 2
  let i: usize = 0
  for (; i < vectorBytes; i += 16) {
    const pull = f32x4.mul(f32x4.sub(v128.load(p + i), v128.load(anchor + i)), k)
    v128.store(g + i, f32x4.add(v128.load(g + i), pull))
  }
  for (; i < bytes; i += 4) store<f32>(g + i, load<f32>(g + i) + (load<f32>(p + i) - load<f32>(anchor + i)) * mu)
}
