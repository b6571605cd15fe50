/** The pointwise part of the gated recurrent unit in float64. */

import { sigmoidOf } from './activations.ts'
import type { RecurrentOps } from './ops.ts'
import { at } from './vectors.ts'

export const recurrent: RecurrentOps = {
  gruCell(a, u, h, size) {
    const out = new Float64Array(h.length)
    const gates = new Float64Array(a.length)
    for (let i = 0; i < h.length; i++) {
      const from = 3 * (i - (i % size)) + (i % size)
      const r = sigmoidOf(at(a, from) + at(u, from))
      const z = sigmoidOf(at(a, from + size) + at(u, from + size))
      const n = Math.tanh(at(a, from + 2 * size) + r * at(u, from + 2 * size))
      gates[from] = r
      gates[from + size] = z
      gates[from + 2 * size] = n
      out[i] = (1 - z) * n + z * at(h, i)
    }
    return { out, gates }
  },

  gruCellBackward(g, gates, u, h, size) {
    const gradient = { a: new Float64Array(u.length), u: new Float64Array(u.length), h: new Float64Array(h.length) }
    for (let i = 0; i < h.length; i++) {
      const from = 3 * (i - (i % size)) + (i % size)
      const [r, z, n] = [at(gates, from), at(gates, from + size), at(gates, from + 2 * size)]
      const gn = at(g, i) * (1 - z) * (1 - n * n)
      const gz = at(g, i) * (at(h, i) - n) * z * (1 - z)
      const gr = gn * at(u, from + 2 * size) * r * (1 - r)
      const into = (to: Float64Array, values: readonly number[]): void =>
        values.forEach((value, gate) => (to[from + gate * size] = value))
      into(gradient.a, [gr, gz, gn])
      into(gradient.u, [gr, gz, gn * r])
      gradient.h[i] = at(g, i) * z
    }
    return gradient
  },
}
