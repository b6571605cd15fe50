/** The operators against PyTorch 2.15.0 in float64: what it made of the same inputs, written down. */

import { describe, expect, it } from 'vitest'
import type { Ops, Vector } from './ops.ts'
import { at, build } from './vectors.ts'

/** Multiples of 1/8 from -1 to 1, different for each k. */
const fill = (length: number, k: number): Vector => build(length, (i) => ((i * k) % 17) / 8 - 1)

export function pytorchSuite(ops: Ops, errorMax: number): void {
  const expectNear = (got: Vector, wanted: readonly number[]): void => {
    expect(got).toHaveLength(wanted.length)
    wanted.forEach((value, i) => expect(Math.abs(at(got, i) - value), `element ${i}`).toBeLessThan(errorMax))
  }

  describe(`${ops.name} compute what PyTorch computes`, () => {
    it('in a GRUCell, forward and backward', () => {
      const [inputs, size, rows] = [3, 2, 2]
      const gates = 3 * size
      const [wA, wU] = [fill(gates * inputs, 5), fill(gates * size, 7)]
      const [x, h, g] = [fill(rows * inputs, 4), fill(rows * size, 6), fill(rows * size, 9)]
      /** x W^T + b, with a row of W for each gate. */
      const linear = (from: Vector, weights: Vector, width: number, bias: Vector): Vector => {
        const product = { m: rows, n: gates, k: width, aRow: width, aColumn: 1, bRow: 1, bColumn: width }
        return ops.biasRelu(ops.gemm(from, weights, product), bias, false)
      }
      const a = linear(x, wA, inputs, fill(gates, 3))
      const u = linear(h, wU, size, fill(gates, 11))
      const forward = ops.gruCell(a, u, h, size)
      expectNear(forward.out, [-0.079165176777, 0.197660973743, 0.730429969769, -0.63913997406])
      const back = ops.gruCellBackward(g, forward.gates, u, h, size)
      const toInput = (of: Vector, weights: Vector, width: number, add?: Vector): Vector =>
        ops.gemm(of, weights, { m: rows, n: width, k: gates, aRow: gates, aColumn: 1, bRow: width, bColumn: 1 }, add)
      expectNear(
        toInput(back.a, wA, inputs),
        [0.14337711396, -0.706250638625, 0.399280704435, 0.031979875586, -0.16828920238, 0.030946631233],
      )
      expectNear(toInput(back.u, wU, size, back.h), [0.038450695371, -0.358722075803, -0.388988358527, 0.087560879763])
      const toWeights = { m: gates, n: inputs, k: rows, aRow: 1, aColumn: gates, bRow: inputs, bColumn: 1 }
      expectNear(
        ops.gemm(back.a, x, toWeights),
        [
          0.083276147396, 0.042067618335, -0.000357953864, -0.002117578286, -0.0024661118, 0.001172768881,
          -0.204910479925, -0.02979741395, -0.060548188344, 0.002906972385, -0.036809971538, 0.031886214775,
          0.646952491287, 0.286066415607, 0.031174858364, -0.030813809009, -0.009484846881, -0.004935048019,
        ],
      )
    })

    it('in layer_norm, forward and backward', () => {
      const [x, gain, bias, g] = [fill(10, 5), fill(5, 3), fill(5, 7), fill(10, 9)]
      const { out, stats } = ops.layerNorm(x, gain, bias, 1e-5)
      expectNear(
        out,
        [
          0.241957310576, 0.063175350087, 0.590050952426, -0.302415882408, 0.036284369843, -1.048000651277,
          -0.905010583255, 1.158005535857, -0.554000732687, 0.759005210218,
        ],
      )
      const back = ops.layerNormBackward(g, x, gain, stats)
      expectNear(
        back.x,
        [
          0.975666439092, -0.427790811286, 0.238680789296, 0.17597290829, -0.962529325393, -0.791346503486,
          0.245273400885, 0.295420066681, -0.017978346122, 0.268631382042,
        ],
      )
      expectNear(back.gain, [1.259957554805, -0.817645653273, -1.375832738223, 0.611171165931, 0.988079958008])
      expectNear(back.bias, [-0.625, -0.5, -0.375, -0.25, -0.125])
    })

    it('in gelu (tanh) and softmax, forward and backward', () => {
      const [x, g] = [fill(6, 5), fill(6, 9)]
      expectNear(ops.gelu(x), [-0.158808009392, -0.132692233108, 0.149675350702, 0.707952680538, -0.166278850042, 0])
      expectNear(
        ops.geluBackward(g, x),
        [0.082964083846, 0.026805538494, -0.608434833257, 0.261729470094, -0.04581897196, 0.1875],
      )
      const y = ops.softmax(x, 3)
      expectNear(y, [0.157267597164, 0.293814552637, 0.548917850199, 0.609759005135, 0.136055624468, 0.254185370398])
      expectNear(
        ops.softmaxBackward(g, y, 3),
        [-0.062774321211, 0.213263499884, -0.150489178673, 0.063587164897, -0.121867410181, 0.058280245284],
      )
    })
  })
}
