/** Dense layers and vector arithmetic in float64. */

import type { ArithmeticOps, DenseOps } from './ops.ts'
import { at, build, sum } from './vectors.ts'

export const dense: DenseOps = {
  gemm(a, b, { m, n, k, aRow, aColumn, bRow, bColumn }, add) {
    return build(m * n, (at0) => {
      const [i, j] = [Math.floor(at0 / n), at0 % n]
      const product = sum(k, (p) => at(a, i * aRow + p * aColumn) * at(b, p * bRow + j * bColumn))
      return add === undefined ? product : product + at(add, at0)
    })
  },
  biasRelu(x, bias, relu) {
    const shifted = (i: number): number => at(x, i) + at(bias, i % bias.length)
    return build(x.length, relu ? (i) => Math.max(0, shifted(i)) : shifted)
  },
  reluBackward: (g, h) => build(g.length, (i) => (at(h, i) > 0 ? at(g, i) : 0)),
  columnSums: (x, columns) => build(columns, (c) => sum(x.length / columns, (r) => at(x, r * columns + c))),
  transpose(x, batches, rows, columns) {
    const out = new Float64Array(batches * rows * columns)
    for (let b = 0; b < batches; b++)
      for (let r = 0; r < rows; r++)
        for (let c = 0; c < columns; c++) out[(b * columns + c) * rows + r] = at(x, (b * rows + r) * columns + c)
    return out
  },
}

export const arithmetic: ArithmeticOps = {
  axpy: (a, x, y) => build(x.length, (i) => a * at(x, i) + at(y, i)),
  scale: (a, x) => build(x.length, (i) => a * at(x, i)),
  add: (x, y) => build(x.length, (i) => at(x, i) + at(y, i)),
  multiply: (x, y) => build(x.length, (i) => at(x, i) * at(y, i)),
  timeEncoding: (age, omega) =>
    build(age.length * omega.length, (i) =>
      Math.cos(at(age, Math.floor(i / omega.length)) * at(omega, i % omega.length)),
    ),
  squaredNorm: (x) => sum(x.length, (i) => at(x, i) ** 2),
  squaredDistance: (x, y) => sum(x.length, (i) => (at(x, i) - at(y, i)) ** 2),
  clipNorm(x, normMax) {
    const norm = Math.sqrt(arithmetic.squaredNorm(x))
    return { out: norm > normMax ? arithmetic.scale(normMax / norm, x) : x.slice(), norm }
  },
}
