// exp and log with fixed polynomials in float64: the engine's Math.exp may differ between versions and processors in its
// last bit, and one bit is another model hash. Only +, *, / and bit moves here, which IEEE 754 fixes.

const LN2_HIGH: f64 = 6.93147180369123816490e-1
const LN2_LOW: f64 = 1.90821492927058770002e-10
const LOG2_E: f64 = 1.44269504088896338700

/** e^x within 2 units in the last place for |x| <= 700; clamped outside. */
export function expOf(x: f64): f64 {
  const bounded = max<f64>(-700, min<f64>(700, x))
  const k = nearest<f64>(bounded * LOG2_E)
  const r = bounded - k * LN2_HIGH - k * LN2_LOW
  // Taylor to r^13: |r| <= ln(2)/2, so the remainder is below 5e-18.
  let sum: f64 = 1.0 / 6227020800.0
  sum = sum * r + 1.0 / 479001600.0
  sum = sum * r + 1.0 / 39916800.0
  sum = sum * r + 1.0 / 3628800.0
  sum = sum * r + 1.0 / 362880.0
  sum = sum * r + 1.0 / 40320.0
  sum = sum * r + 1.0 / 5040.0
  sum = sum * r + 1.0 / 720.0
  sum = sum * r + 1.0 / 120.0
  sum = sum * r + 1.0 / 24.0
  sum = sum * r + 1.0 / 6.0
  sum = sum * r + 0.5
  sum = sum * r + 1.0
  sum = sum * r + 1.0
  return sum * reinterpret<f64>((<i64>k + 1023) << 52)
}

/** log(1 + y) for 0 <= y <= 1, as 2 atanh(y / (2 + y)): s <= 1/3, so 17 odd terms leave less than 1e-17. */
function log1pUnit(y: f64): f64 {
  const s = y / (2 + y)
  const z = s * s
  let sum: f64 = 0
  for (let odd = 33; odd >= 1; odd -= 2) sum = sum * z + 1.0 / <f64>odd
  return 2 * s * sum
}

/** log(1 + e^x), without overflow. */
export function softplusOf(x: f64): f64 {
  return max<f64>(x, 0) + log1pUnit(expOf(-abs(x)))
}

/**
 * Weighted logistic loss of `n` logits: gradient[i] = weight[i] * (sigmoid(logit[i]) - label[i]) * scale, and the sum of
 * weight[i] * (softplus(logit[i]) - label[i] * logit[i]) in order, not scaled. `labels` are bytes 0 or 1.
 */
export function logisticLoss(logits: usize, labels: usize, weights: usize, gradient: usize, n: i32, scale: f64): f64 {
  let loss: f64 = 0
  for (let i: usize = 0; i < <usize>n; i++) {
    const x = <f64>load<f32>(logits + (i << 2))
    const label = <f64>load<u8>(labels + i)
    const weight = <f64>load<f32>(weights + (i << 2))
    const e = expOf(-abs(x))
    const sigmoid = (x >= 0 ? 1 : e) / (1 + e)
    loss += weight * (max<f64>(x, 0) + log1pUnit(e) - label * x)
    store<f32>(gradient + (i << 2), <f32>(weight * (sigmoid - label) * scale))
  }
  return loss
}
