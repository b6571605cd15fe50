// Layer normalisation (Ba, Kiros and Hinton 2016) of each row of a row-major matrix. Sums run in four lanes, element i in
// lane i mod 4, then lanes are added in a fixed order.

import { loadPart, madd, storePart, sumLanes } from './lanes'

/**
 * out[r] = (x[r] - mean) / sqrt(variance + epsilon) * gain + bias; stats[2r] = mean, stats[2r + 1] = 1 / sqrt(...). The
 * variance is the mean of squared deviations, in a second pass. `out` may be `x`.
 */
export function layerNorm(x: usize, gain: usize, bias: usize, out: usize, stats: usize, rows: i32, columns: i32, epsilon: f32): void {
  const bytes = <usize>columns << 2
  const end = <usize>(columns & ~3) << 2
  const rest = columns & 3
  const scale: f32 = <f32>1 / <f32>columns
  for (let r = 0; r < rows; r++) {
    const row = x + <usize>r * bytes
    let a = f32x4.splat(0)
    for (let i: usize = 0; i < end; i += 16) a = f32x4.add(a, v128.load(row + i))
    if (rest) a = f32x4.add(a, loadPart(row + end, rest))
    const mean = sumLanes(a) * scale
    const m = f32x4.splat(mean)
    a = f32x4.splat(0)
    for (let i: usize = 0; i < end; i += 16) {
      const d = f32x4.sub(v128.load(row + i), m)
      a = madd(d, d, a)
    }
    let variance = sumLanes(a)
    for (let i = end; i < bytes; i += 4) {
      const d = load<f32>(row + i) - mean
      variance += d * d
    }
    const inverse: f32 = <f32>1 / sqrt<f32>(variance * scale + epsilon)
    store<f32>(stats + (<usize>r << 3), mean)
    store<f32>(stats + (<usize>r << 3), inverse, 4)
    const to = out + <usize>r * bytes
    const s = f32x4.splat(inverse)
    for (let i: usize = 0; i < end; i += 16) {
      const normal = f32x4.mul(f32x4.sub(v128.load(row + i), m), s)
      v128.store(to + i, madd(normal, v128.load(gain + i), v128.load(bias + i)))
    }
    if (rest) {
      const normal = f32x4.mul(f32x4.sub(loadPart(row + end, rest), m), s)
      storePart(to + end, madd(normal, loadPart(gain + end, rest), loadPart(bias + end, rest)), rest)
    }
  }
}

/**
 * With n = (x - mean) / deviation and h = g gain: gx = (h - mean(h) - n mean(h n)) / deviation, gGain = sum of g n over
 * rows, gBias = sum of g over rows; all three are overwritten. `gx` may be `g`.
 */
export function layerNormBackward(
  g: usize, x: usize, gain: usize, stats: usize, gx: usize, gGain: usize, gBias: usize, rows: i32, columns: i32,
): void {
  const bytes = <usize>columns << 2
  const end = <usize>(columns & ~3) << 2
  const rest = columns & 3
  const scale: f32 = <f32>1 / <f32>columns
  memory.fill(gGain, 0, bytes)
  memory.fill(gBias, 0, bytes)
  for (let r = 0; r < rows; r++) {
    const gRow = g + <usize>r * bytes
    const xRow = x + <usize>r * bytes
    const to = gx + <usize>r * bytes
    const m = v128.load32_splat(stats + (<usize>r << 3))
    const s = v128.load32_splat(stats + (<usize>r << 3), 4)
    let h = f32x4.splat(0), hn = h
    for (let i: usize = 0; i < end; i += 16) {
      const gradient = v128.load(gRow + i)
      const normal = f32x4.mul(f32x4.sub(v128.load(xRow + i), m), s)
      const scaled = f32x4.mul(gradient, v128.load(gain + i))
      v128.store(gBias + i, f32x4.add(v128.load(gBias + i), gradient))
      v128.store(gGain + i, madd(gradient, normal, v128.load(gGain + i)))
      h = f32x4.add(h, scaled)
      hn = madd(scaled, normal, hn)
    }
    if (rest) {
      const gradient = loadPart(gRow + end, rest)
      const normal = f32x4.mul(f32x4.sub(loadPart(xRow + end, rest), m), s)
      const scaled = f32x4.mul(gradient, loadPart(gain + end, rest))
      storePart(gBias + end, f32x4.add(loadPart(gBias + end, rest), gradient), rest)
      storePart(gGain + end, madd(gradient, normal, loadPart(gGain + end, rest)), rest)
      h = f32x4.add(h, scaled)
      hn = madd(scaled, normal, hn)
    }
    const meanH = f32x4.splat(sumLanes(h) * scale)
    const meanHn = f32x4.splat(sumLanes(hn) * scale)
    for (let i: usize = 0; i < end; i += 16) {
      const normal = f32x4.mul(f32x4.sub(v128.load(xRow + i), m), s)
      const scaled = f32x4.mul(v128.load(gRow + i), v128.load(gain + i))
      v128.store(to + i, f32x4.mul(f32x4.sub(f32x4.sub(scaled, meanH), f32x4.mul(normal, meanHn)), s))
    }
    if (rest) {
      const normal = f32x4.mul(f32x4.sub(loadPart(xRow + end, rest), m), s)
      const scaled = f32x4.mul(loadPart(gRow + end, rest), loadPart(gain + end, rest))
      storePart(to + end, f32x4.mul(f32x4.sub(f32x4.sub(scaled, meanH), f32x4.mul(normal, meanHn)), s), rest)
    }
  }
}
