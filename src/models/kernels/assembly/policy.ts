// Masked categorical policies: sampling, and the clipped surrogate of PPO with its gradient (Schulman et al. 2017, equation
// 7; masking as in Huang and Ontanon 2022: an illegal action has probability 0 and passes no gradient). All in float64 in
// a fixed order, with the exponential of logistic.ts, so that two organisations draw the same actions.

import { expOf } from './logistic'

const LN2: f64 = 0.693147180559945309417
/** Where the mantissa is halved; nothing depends on its last digit. */
const HALVED_FROM: f64 = 1.4142

/** log(x) for normal x > 0: 2 atanh((m-1)/(m+1)) + e ln 2 with m in [sqrt(1/2), sqrt(2)); 11 odd terms leave below 1e-17. */
export function logOf(x: f64): f64 {
  const bits = reinterpret<i64>(x)
  let exponent = <f64>((bits >> 52) - 1023)
  let m = reinterpret<f64>((bits & 0x000fffffffffffff) | 0x3ff0000000000000)
  if (m > HALVED_FROM) {
    m *= 0.5
    exponent += 1
  }
  const s = (m - 1) / (m + 1)
  const z = s * s
  let sum: f64 = 0
  for (let odd = 21; odd >= 1; odd -= 2) sum = sum * z + 1.0 / <f64>odd
  return 2 * s * sum + exponent * LN2
}

/** Largest logit of a legal action. */
function largest(logits: usize, mask: usize, columns: i32): f64 {
  let found: f64 = -Infinity
  for (let c: usize = 0; c < <usize>columns; c++)
    if (load<u8>(mask + c) != 0) found = max<f64>(found, <f64>load<f32>(logits + (c << 2)))
  return found
}

/** Sum over legal actions of exp(logit - top). */
function partition(logits: usize, mask: usize, columns: i32, top: f64): f64 {
  let sum: f64 = 0
  for (let c: usize = 0; c < <usize>columns; c++)
    if (load<u8>(mask + c) != 0) sum += expOf(<f64>load<f32>(logits + (c << 2)) - top)
  return sum
}

/** out[r][c] = probability of each action, 0 for the masked ones; `masks` are bytes, at least one of a row is not 0. */
export function maskedSoftmax(logits: usize, masks: usize, out: usize, rows: i32, columns: i32): void {
  const width = <usize>columns
  for (let r: usize = 0; r < <usize>rows; r++) {
    const row = logits + ((r * width) << 2)
    const mask = masks + r * width
    const to = out + ((r * width) << 2)
    const top = largest(row, mask, columns)
    const scale = 1 / partition(row, mask, columns, top)
    for (let c: usize = 0; c < width; c++) {
      const p = load<u8>(mask + c) != 0 ? expOf(<f64>load<f32>(row + (c << 2)) - top) * scale : 0
      store<f32>(to + (c << 2), <f32>p)
    }
  }
}

/** Draws an action of each row by its uniform number (f64 in [0, 1)); writes it (u32) and its log-probability (f32). */
export function maskedSample(
  logits: usize, masks: usize, uniforms: usize, actions: usize, logs: usize, rows: i32, columns: i32,
): void {
  const width = <usize>columns
  for (let r: usize = 0; r < <usize>rows; r++) {
    const row = logits + ((r * width) << 2)
    const mask = masks + r * width
    const top = largest(row, mask, columns)
    const total = partition(row, mask, columns, top)
    const wanted = load<f64>(uniforms + (r << 3)) * total
    let chosen: usize = 0
    let sum: f64 = 0
    for (let c: usize = 0; c < width; c++) {
      if (load<u8>(mask + c) == 0) continue
      // Rounding may leave the sum a hair below the wanted number: then the last legal action is taken.
      chosen = c
      sum += expOf(<f64>load<f32>(row + (c << 2)) - top)
      if (sum > wanted) break
    }
    store<u32>(actions + (r << 2), <u32>chosen)
    store<f32>(logs + (r << 2), <f32>(<f64>load<f32>(row + (chosen << 2)) - top - logOf(total)))
  }
}

/**
 * Gradient by the logits of scale * sum over rows of [ -min(q A, clip(q, 1 - clip, 1 + clip) A) - entropyWeight * H ],
 * q = pi(action) / pi_old(action). Adds to `stats` (four f64): the surrogate, the entropy, the estimate q - 1 - log q of
 * the KL divergence from the old policy (not scaled), and the number of rows that the clip holds.
 */
export function clippedSurrogate(
  logits: usize, masks: usize, actions: usize, oldLogs: usize, advantages: usize, gradient: usize,
  rows: i32, columns: i32, clip: f64, entropyWeight: f64, scale: f64, stats: usize,
): void {
  const width = <usize>columns
  let surrogate: f64 = 0, entropy: f64 = 0, divergence: f64 = 0, held: f64 = 0
  for (let r: usize = 0; r < <usize>rows; r++) {
    const row = logits + ((r * width) << 2)
    const mask = masks + r * width
    const to = gradient + ((r * width) << 2)
    const action = <usize>load<u32>(actions + (r << 2))
    const advantage = <f64>load<f32>(advantages + (r << 2))
    const top = largest(row, mask, columns)
    const logTotal = logOf(partition(row, mask, columns, top)) + top
    let rowEntropy: f64 = 0
    for (let c: usize = 0; c < width; c++) {
      if (load<u8>(mask + c) == 0) continue
      const log = <f64>load<f32>(row + (c << 2)) - logTotal
      rowEntropy -= expOf(log) * log
    }
    const change = <f64>load<f32>(row + (action << 2)) - logTotal - <f64>load<f32>(oldLogs + (r << 2))
    const ratio = expOf(change)
    const bounded = max<f64>(1 - clip, min<f64>(1 + clip, ratio))
    const free = ratio * advantage <= bounded * advantage
    const pull = free ? ratio * advantage : 0
    for (let c: usize = 0; c < width; c++) {
      let g: f64 = 0
      if (load<u8>(mask + c) != 0) {
        const log = <f64>load<f32>(row + (c << 2)) - logTotal
        const p = expOf(log)
        g = pull * p + entropyWeight * p * (log + rowEntropy)
        if (c == action) g -= pull
      }
      store<f32>(to + (c << 2), <f32>(g * scale))
    }
    surrogate -= min<f64>(ratio * advantage, bounded * advantage)
    entropy += rowEntropy
    divergence += ratio - 1 - change
    if (!free) held += 1
  }
  store<f64>(stats, load<f64>(stats) + surrogate)
  store<f64>(stats, load<f64>(stats, 8) + entropy, 8)
  store<f64>(stats, load<f64>(stats, 16) + divergence, 16)
  store<f64>(stats, load<f64>(stats, 24) + held, 24)
}

/** gradient[i] = scale * (value[i] - target[i]); returns the sum of half the squared errors, in order, not scaled. */
export function squaredError(values: usize, targets: usize, gradient: usize, n: i32, scale: f64): f64 {
  let loss: f64 = 0
  for (let i: usize = 0; i < <usize>n; i++) {
    const error = <f64>load<f32>(values + (i << 2)) - <f64>load<f32>(targets + (i << 2))
    loss += 0.5 * error * error
    store<f32>(gradient + (i << 2), <f32>(error * scale))
  }
  return loss
}
