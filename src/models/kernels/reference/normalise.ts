/** Layer normalisation and softmax in float64. */

import type { NormalisationOps } from './ops.ts'
import { at, sum } from './vectors.ts'

export const normalisation: NormalisationOps = {
  layerNorm(x, gain, bias, epsilon) {
    const columns = gain.length
    const rows = x.length / columns
    const out = new Float64Array(x.length)
    const stats = new Float64Array(2 * rows)
    for (let r = 0; r < rows; r++) {
      const value = (c: number): number => at(x, r * columns + c)
      const mean = sum(columns, value) / columns
      const inverse = 1 / Math.sqrt(sum(columns, (c) => (value(c) - mean) ** 2) / columns + epsilon)
      stats.set([mean, inverse], 2 * r)
      for (let c = 0; c < columns; c++) out[r * columns + c] = (value(c) - mean) * inverse * at(gain, c) + at(bias, c)
    }
    return { out, stats }
  },

  layerNormBackward(g, x, gain, stats) {
    const columns = gain.length
    const rows = x.length / columns
    const gradient = { x: new Float64Array(x.length), gain: new Float64Array(columns), bias: new Float64Array(columns) }
    for (let r = 0; r < rows; r++) {
      const inverse = at(stats, 2 * r + 1)
      const normal = (c: number): number => (at(x, r * columns + c) - at(stats, 2 * r)) * inverse
      const scaled = (c: number): number => at(g, r * columns + c) * at(gain, c)
      const meanOfScaled = sum(columns, scaled) / columns
      const meanOfProduct = sum(columns, (c) => scaled(c) * normal(c)) / columns
      for (let c = 0; c < columns; c++) {
        gradient.x[r * columns + c] = (scaled(c) - meanOfScaled - normal(c) * meanOfProduct) * inverse
        gradient.gain[c] = at(gradient.gain, c) + at(g, r * columns + c) * normal(c)
        gradient.bias[c] = at(gradient.bias, c) + at(g, r * columns + c)
      }
    }
    return gradient
  },

  softmax(x, columns) {
    const out = new Float64Array(x.length)
    for (let from = 0; from < x.length; from += columns) {
      const row = x.subarray(from, from + columns)
      const highest = Math.max(...row)
      const exponentials = row.map((value) => Math.exp(value - highest))
      const total = sum(columns, (c) => at(exponentials, c))
      out.set(
        exponentials.map((value) => value / total),
        from,
      )
    }
    return out
  },

  softmaxBackward(g, y, columns) {
    const out = new Float64Array(g.length)
    for (let from = 0; from < g.length; from += columns) {
      const dot = sum(columns, (c) => at(g, from + c) * at(y, from + c))
      for (let i = from; i < from + columns; i++) out[i] = at(y, i) * (at(g, i) - dot)
    }
    return out
  },
}
