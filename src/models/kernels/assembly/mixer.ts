// Parts of the link encoder of the temporal graph network (GraphMixer, Cong et al. 2023, section 3). An item is one end of
// an interaction with K links; a token is one link. Tokens that hold no link have mask 0 and stay zero.

import { timeEncoding } from './time-encoding'

/**
 * Tokens of `rows` rows, `tokens` a row. The link t of row r is at x + 4 (r stride + t fields): its age, negative if there is
 * none, then the other fields. out[r tokens + t] = [cos(age omega) in `dimensions` columns | the other fields], and its
 * mask 1; or zeros and mask 0.
 */
export function linkTokens(x: usize, stride: i32, tokens: i32, fields: i32, omega: usize, dimensions: i32, out: usize, mask: usize, rows: i32): void {
  const others = fields - 1
  const width = <usize>(dimensions + others) << 2
  let to = out
  for (let r = 0; r < rows; r++) {
    let link = x + (<usize>(r * stride) << 2)
    for (let t = 0; t < tokens; t++) {
      const age = load<f32>(link)
      if (age < 0) {
        memory.fill(to, 0, width)
        store<f32>(mask, 0)
      } else {
        timeEncoding(link, omega, to, 1, dimensions)
        memory.copy(to + (<usize>dimensions << 2), link + 4, <usize>others << 2)
        store<f32>(mask, 1)
      }
      link += <usize>fields << 2
      to += width
      mask += 4
    }
  }
}

/** x[r] += bias where mask[r] is 1, and zero elsewhere. */
export function maskedBias(x: usize, bias: usize, mask: usize, rows: i32, columns: i32): void {
  const bytes = <usize>columns << 2
  for (let r = 0; r < rows; r++) {
    if (load<f32>(mask + (<usize>r << 2)) == 0) memory.fill(x, 0, bytes)
    else for (let c: usize = 0; c < bytes; c += 16) v128.store(x + c, f32x4.add(v128.load(x + c), v128.load(bias + c)))
    x += bytes
  }
}

/** x[r] = 0 where mask[r] is 0. */
export function maskRows(x: usize, mask: usize, rows: i32, columns: i32): void {
  const bytes = <usize>columns << 2
  for (let r = 0; r < rows; r++) if (load<f32>(mask + (<usize>r << 2)) == 0) memory.fill(x + <usize>r * bytes, 0, bytes)
}

/**
 * Token mixing (Cong et al. 2023, equation 3): out = residual + W1^T relu(W0^T x + b0) + b1 along the K tokens of each item,
 * for each of `columns` (a multiple of 4) columns alone. W0 is K by H, W1 is H by K; `hidden` keeps the H activations.
 */
export function tokenMix(
  x: usize, residual: usize, w0: usize, b0: usize, w1: usize, b1: usize, hidden: usize, out: usize,
  items: i32, K: i32, H: i32, columns: i32,
): void {
  const line = <usize>columns << 2
  const zero = f32x4.splat(0)
  for (let i = 0; i < items; i++) {
    for (let j = 0; j < H; j++) {
      const row = hidden + <usize>j * line
      for (let c: usize = 0; c < line; c += 16) {
        let sum = v128.load32_splat(b0 + (<usize>j << 2))
        let w = w0 + (<usize>j << 2)
        let from = x + c
        for (let k = 0; k < K; k++) {
          sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(w), v128.load(from)))
          w += <usize>H << 2
          from += line
        }
        v128.store(row + c, f32x4.max(sum, zero))
      }
    }
    for (let k = 0; k < K; k++) {
      const row = <usize>k * line
      for (let c: usize = 0; c < line; c += 16) {
        let sum = f32x4.add(v128.load(residual + row + c), v128.load32_splat(b1 + (<usize>k << 2)))
        let w = w1 + (<usize>k << 2)
        let from = hidden + c
        for (let j = 0; j < H; j++) {
          sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(w), v128.load(from)))
          w += <usize>K << 2
          from += line
        }
        v128.store(out + row + c, sum)
      }
    }
    x += <usize>K * line
    residual += <usize>K * line
    out += <usize>K * line
    hidden += <usize>H * line
  }
}

// @ts-ignore: decorator
@inline
function addTo(at: usize, value: v128): void {
  v128.store(at, f32x4.add(v128.load(at), value))
}

/** Adds lane sums of `n` vectors at `from` to floats at `to`, written. */
function lanes(from: usize, to: usize, n: i32): void {
  for (let i = 0; i < n; i++) {
    const v = v128.load(from + (<usize>i << 4))
    const low = f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1)
    store<f32>(to + (<usize>i << 2), low + (f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3)))
  }
}

/**
 * Gradients of {@link tokenMix} for g = gradient of out: gx of x, and those of the weights; the residual's is g itself.
 * `scratch` takes 16 (2 K H + 2 K + 2 H) bytes. Sums run over items, then columns, then lanes: an order of the shapes alone.
 */
export function tokenMixBackward(
  g: usize, x: usize, hidden: usize, w0: usize, w1: usize, gx: usize, gw0: usize, gb0: usize, gw1: usize, gb1: usize,
  scratch: usize, items: i32, K: i32, H: i32, columns: i32,
): void {
  const line = <usize>columns << 2
  const aw0 = scratch
  const aw1 = aw0 + (<usize>(K * H) << 4)
  const ab0 = aw1 + (<usize>(K * H) << 4)
  const ab1 = ab0 + (<usize>H << 4)
  const gh = ab1 + (<usize>K << 4)
  memory.fill(scratch, 0, <usize>(2 * K * H + K + H) << 4)
  for (let i = 0; i < items; i++) {
    for (let c: usize = 0; c < line; c += 16) {
      for (let j = 0; j < H; j++) {
        const active = v128.load(hidden + <usize>j * line + c)
        let sum = f32x4.splat(0)
        const w = w1 + (<usize>(j * K) << 2)
        const acc = aw1 + (<usize>(j * K) << 4)
        for (let k = 0; k < K; k++) {
          const gk = v128.load(g + <usize>k * line + c)
          sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(w + (<usize>k << 2)), gk))
          addTo(acc + (<usize>k << 4), f32x4.mul(active, gk))
        }
        sum = v128.and(sum, f32x4.gt(active, f32x4.splat(0)))
        v128.store(gh + (<usize>j << 4), sum)
        addTo(ab0 + (<usize>j << 4), sum)
      }
      for (let k = 0; k < K; k++) {
        const at = <usize>k * line + c
        const xk = v128.load(x + at)
        addTo(ab1 + (<usize>k << 4), v128.load(g + at))
        let sum = f32x4.splat(0)
        const w = w0 + (<usize>(k * H) << 2)
        const acc = aw0 + (<usize>(k * H) << 4)
        for (let j = 0; j < H; j++) {
          const ghj = v128.load(gh + (<usize>j << 4))
          sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(w + (<usize>j << 2)), ghj))
          addTo(acc + (<usize>j << 4), f32x4.mul(xk, ghj))
        }
        v128.store(gx + at, sum)
      }
    }
    g += <usize>K * line
    x += <usize>K * line
    gx += <usize>K * line
    hidden += <usize>H * line
  }
  lanes(aw0, gw0, K * H)
  lanes(aw1, gw1, K * H)
  lanes(ab0, gb0, H)
  lanes(ab1, gb1, K)
}

/** Masked mean of the K tokens of each item; those of items 2 r and 2 r + 1 go side by side to out + 4 r stride. Any columns. */
export function maskedMean(x: usize, mask: usize, out: usize, stride: i32, items: i32, K: i32, columns: i32, skip: i32): void {
  const line = <usize>(columns + skip) << 2
  const bytes = <usize>columns << 2
  for (let i = 0; i < items; i++) {
    const to = out + (<usize>((i >> 1) * stride) << 2) + <usize>(i & 1) * bytes
    memory.fill(to, 0, bytes)
    let count: f32 = 0
    for (let k = 0; k < K; k++) {
      const present = load<f32>(mask + (<usize>k << 2))
      count += present
      if (present != 0) {
        const from = x + <usize>k * line + (<usize>skip << 2)
        let c: usize = 0
        for (; c + 16 <= bytes; c += 16) addTo(to + c, v128.load(from + c))
        for (; c < bytes; c += 4) store<f32>(to + c, load<f32>(to + c) + load<f32>(from + c))
      }
    }
    const share: f32 = 1 / max<f32>(count, 1)
    for (let c: usize = 0; c < bytes; c += 4) store<f32>(to + c, load<f32>(to + c) * share)
    x += <usize>K * line
    mask += <usize>K << 2
  }
}

/** Gradient of {@link maskedMean} (skip 0) by x, written. */
export function maskedMeanBackward(g: usize, mask: usize, gx: usize, stride: i32, items: i32, K: i32, columns: i32): void {
  const line = <usize>columns << 2
  for (let i = 0; i < items; i++) {
    const from = g + (<usize>((i >> 1) * stride) << 2) + <usize>(i & 1) * line
    let count: f32 = 0
    for (let k = 0; k < K; k++) count += load<f32>(mask + (<usize>k << 2))
    const share: f32 = 1 / max<f32>(count, 1)
    for (let k = 0; k < K; k++) {
      if (load<f32>(mask + (<usize>k << 2)) == 0) memory.fill(gx, 0, line)
      else for (let c: usize = 0; c < line; c += 4) store<f32>(gx + c, load<f32>(from + c) * share)
      gx += line
    }
    mask += <usize>K << 2
  }
}

/** Copies `columns` columns of `rows` rows between matrices of different strides. */
export function copyColumns(x: usize, xStride: i32, out: usize, outStride: i32, rows: i32, columns: i32): void {
  for (let r = 0; r < rows; r++)
    memory.copy(out + (<usize>(r * outStride) << 2), x + (<usize>(r * xStride) << 2), <usize>columns << 2)
}
