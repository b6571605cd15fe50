/** The kernels as {@link Ops}: arrays are rounded to float32, copied in, worked on and copied out. */

import type { Kernels } from '../kernels.ts'
import type {
  ActivationOps,
  ArithmeticOps,
  DenseOps,
  GraphOps,
  LearningOps,
  NormalisationOps,
  Ops,
  RecurrentOps,
} from './ops.ts'
import { type Bench, createBench } from './workbench.ts'

export function opsOver(kernels: Kernels): Ops {
  const bench = createBench(kernels.arena)
  return {
    name: 'the float32 kernels',
    ...denseOps(kernels, bench),
    ...activationOps(kernels, bench),
    ...arithmeticOps(kernels, bench),
    ...normalisationOps(kernels, bench),
    ...graphOps(kernels, bench),
    ...recurrentOps(kernels, bench),
    ...learningOps(kernels, bench),
  }
}

function denseOps({ raw, scratch }: Kernels, { run, changed, made }: Bench): DenseOps {
  return {
    gemm(a, b, { m, n, k, aRow, aColumn, bRow, bColumn }, add) {
      const into = add ?? new Float64Array(m * n)
      return run([a, b, into], (pa, pb, pc) => {
        raw.gemm(pa.offset, aRow, aColumn, pb.offset, bRow, bColumn, pc.offset, m, n, k, add ? 1 : 0, scratch)
        return pc.read()
      })
    },
    biasRelu: (x, bias, relu) =>
      changed([x, bias], (px, pb) => raw.biasRelu(px, pb, x.length / bias.length, bias.length, relu ? 1 : 0)),
    reluBackward: (g, h) => changed([g, h], (pg, ph) => raw.reluBackward(pg, ph, g.length)),
    columnSums: (x, columns) => made(columns, [x], (out, px) => raw.columnSums(px, out, x.length / columns, columns)),
    transpose: (x, batches, rows, columns) =>
      made(x.length, [x], (out, px) => raw.transpose(px, out, batches, rows, columns)),
  }
}

function activationOps({ raw }: Kernels, { made }: Bench): ActivationOps {
  return {
    gelu: (x) => made(x.length, [x], (out, px) => raw.gelu(px, out, x.length)),
    geluBackward: (g, x) => made(g.length, [g, x], (out, pg, px) => raw.geluBackward(pg, px, out, g.length)),
    tanh: (x) => made(x.length, [x], (out, px) => raw.tanhOf(px, out, x.length)),
    tanhBackward: (g, y) => made(g.length, [g, y], (out, pg, py) => raw.tanhBackward(pg, py, out, g.length)),
    sigmoid: (x) => made(x.length, [x], (out, px) => raw.sigmoidOf(px, out, x.length)),
    sigmoidBackward: (g, y) => made(g.length, [g, y], (out, pg, py) => raw.sigmoidBackward(pg, py, out, g.length)),
  }
}

function arithmeticOps({ raw }: Kernels, { run, changed, made }: Bench): ArithmeticOps {
  return {
    axpy: (a, x, y) => changed([y, x], (py, px) => raw.axpy(a, px, py, x.length)),
    scale: (a, x) => changed([x], (px) => raw.scale(a, px, x.length)),
    add: (x, y) => made(x.length, [x, y], (out, px, py) => raw.addOf(px, py, out, x.length)),
    multiply: (x, y) => made(x.length, [x, y], (out, px, py) => raw.multiplyOf(px, py, out, x.length)),
    timeEncoding: (age, omega) =>
      made(age.length * omega.length, [age, omega], (out, pa, po) =>
        raw.timeEncoding(pa, po, out, age.length, omega.length),
      ),
    squaredNorm: (x) => run([x], (px) => raw.squaredNorm(px.offset, x.length)),
    squaredDistance: (x, y) => run([x, y], (px, py) => raw.squaredDistance(px.offset, py.offset, x.length)),
    clipNorm: (x, normMax) =>
      run([x], (px) => {
        const norm = raw.clipNorm(px.offset, x.length, normMax)
        return { out: px.read(), norm }
      }),
  }
}

function normalisationOps({ raw }: Kernels, { run, made }: Bench): NormalisationOps {
  return {
    layerNorm(x, gain, bias, epsilon) {
      const [columns, rows] = [gain.length, x.length / gain.length]
      const empty = [new Float64Array(x.length), new Float64Array(2 * rows)]
      return run([x, gain, bias, ...empty], (px, pg, pb, out, stats) => {
        raw.layerNorm(px.offset, pg.offset, pb.offset, out.offset, stats.offset, rows, columns, epsilon)
        return { out: out.read(), stats: stats.read() }
      })
    },
    layerNormBackward(g, x, gain, stats) {
      const [columns, rows] = [gain.length, x.length / gain.length]
      const empty = [x, gain, gain].map(({ length }) => new Float64Array(length).fill(Number.NaN))
      return run([g, x, gain, stats, ...empty], (pg, px, pn, ps, ox, og, ob) => {
        const from = [pg.offset, px.offset, pn.offset, ps.offset] as const
        raw.layerNormBackward(...from, ox.offset, og.offset, ob.offset, rows, columns)
        return { x: ox.read(), gain: og.read(), bias: ob.read() }
      })
    },
    softmax: (x, columns) => made(x.length, [x], (out, px) => raw.softmax(px, out, x.length / columns, columns)),
    softmaxBackward: (g, y, columns) =>
      made(g.length, [g, y], (out, pg, py) => raw.softmaxBackward(pg, py, out, g.length / columns, columns)),
  }
}

function graphOps({ raw }: Kernels, { run, made }: Bench): GraphOps {
  return {
    segmentSum: (x, { pointers, indices }, columns) =>
      made((pointers.length - 1) * columns, [x, pointers, indices], (out, px, pp, pi) =>
        raw.segmentSum(px, pp, pi, out, pointers.length - 1, columns),
      ),
    segmentMean: (x, { pointers, indices }, columns) =>
      made((pointers.length - 1) * columns, [x, pointers, indices], (out, px, pp, pi) =>
        raw.segmentMean(px, pp, pi, out, pointers.length - 1, columns),
      ),
    segmentWeightedSum: (x, { pointers, indices }, weights, columns) =>
      made((pointers.length - 1) * columns, [x, pointers, indices, weights], (out, px, pp, pi, pw) =>
        raw.segmentWeightedSum(px, pp, pi, pw, out, pointers.length - 1, columns),
      ),
    inverseCounts: ({ pointers }) =>
      made(pointers.length - 1, [pointers], (out, pp) => raw.inverseCounts(pp, out, pointers.length - 1)),
    transposeCsr({ pointers, indices }, rows) {
      const empty = [new Uint32Array(rows + 1), new Uint32Array(indices.length)]
      return run([pointers, indices, ...empty], (pp, pi, tp, ti) => {
        raw.transposeCsr(pp.offset, pi.offset, pointers.length - 1, tp.offset, ti.offset, rows)
        return { pointers: tp.readIntegers(), indices: ti.readIntegers() }
      })
    },
    gatherRows: (x, indices, columns) =>
      made(indices.length * columns, [x, indices], (out, px, pi) =>
        raw.gatherRows(px, pi, out, indices.length, columns),
      ),
  }
}

function recurrentOps({ raw }: Kernels, { run }: Bench): RecurrentOps {
  return {
    gruCell(a, u, h, size) {
      const empty = [new Float64Array(h.length), new Float64Array(a.length)]
      return run([a, u, h, ...empty], (pa, pu, ph, out, gates) => {
        raw.gruCell(pa.offset, pu.offset, ph.offset, out.offset, gates.offset, h.length / size, size)
        return { out: out.read(), gates: gates.read() }
      })
    },
    gruCellBackward(g, gates, u, h, size) {
      const empty = [u, u, h].map(({ length }) => new Float64Array(length).fill(Number.NaN))
      return run([g, gates, u, h, ...empty], (pg, pt, pu, ph, ga, gu, gh) => {
        const from = [pg.offset, pt.offset, pu.offset, ph.offset] as const
        raw.gruCellBackward(...from, ga.offset, gu.offset, gh.offset, h.length / size, size)
        return { a: ga.read(), u: gu.read(), h: gh.read() }
      })
    },
  }
}

function learningOps({ raw }: Kernels, { run, changed }: Bench): LearningOps {
  return {
    logisticLoss: (logits, labels, weights, scale) =>
      run([logits, labels, weights, new Float64Array(logits.length)], (px, pl, pw, pg) => {
        const loss = raw.logisticLoss(px.offset, pl.offset, pw.offset, pg.offset, logits.length, scale)
        return { loss, gradient: pg.read() }
      }),
    adam: ({ p, m, v, g, rate, beta1, beta2, epsilon, scale }) =>
      run([p, g, m, v], (pp, pg, pm, pv) => {
        const at = [pp.offset, pg.offset, pm.offset, pv.offset] as const
        raw.adam(...at, p.length, rate, beta1, beta2, epsilon, scale)
        return { p: pp.read(), m: pm.read(), v: pv.read() }
      }),
    sgd: (p, g, rate) => changed([p, g], (pp, pg) => raw.sgd(pp, pg, p.length, rate)),
    proximal: (g, p, anchor, mu) => changed([g, p, anchor], (pg, pp, pa) => raw.proximal(pg, pp, pa, g.length, mu)),
  }
}
