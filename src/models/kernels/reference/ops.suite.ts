/** What each operator promises, for any implementation; `errorMax` is relative to values of about 1. */

import { describe, expect, it } from 'vitest'
import { randomCsr, randomVector, relativeError } from './gradients.suite.ts'
import type { Csr, Ops, Vector } from './ops.ts'
import { at, build, sum } from './vectors.ts'

export function opsSuite(ops: Ops, errorMax: number): void {
  const expectNear = (got: Vector, wanted: readonly number[]): void => {
    expect(got).toHaveLength(wanted.length)
    wanted.forEach((value, i) => expect(Math.abs(at(got, i) - value), `element ${i}`).toBeLessThan(errorMax))
  }

  describe(`dense operators of ${ops.name}`, () => {
    const [a, b] = [Float64Array.of(1, 2, 3, 4, 5, 6), Float64Array.of(1, 0, -1, 2, 0.5, 1)]

    it('a product is rows times columns, and is added where there is something to add to', () => {
      const product = { m: 2, n: 2, k: 3, aRow: 3, aColumn: 1, bRow: 2, bColumn: 1 }
      expectNear(ops.gemm(a, b, product), [0.5, 7, 2, 16])
      expectNear(ops.gemm(a, b, product, Float64Array.of(1, 1, 1, 1)), [1.5, 8, 3, 17])
    })

    it('strides transpose either side', () => {
      const product = { m: 2, n: 2, k: 3, aRow: 1, aColumn: 2, bRow: 1, bColumn: 3 }
      expectNear(ops.gemm(a, b, product), [-4, 8.5, -4, 12])
    })

    it('a negative sum of value and bias is cut with ReLU and kept without', () => {
      const [x, bias] = [Float64Array.of(1, -2, -3, 4), Float64Array.of(0.5, 1)]
      expectNear(ops.biasRelu(x, bias, true), [1.5, 0, 0, 5])
      expectNear(ops.biasRelu(x, bias, false), [1.5, -1, -2.5, 5])
    })

    it('transposing twice gives the matrices back', () => {
      const x = randomVector(2 * 5 * 7, 'transpose')
      expect(ops.transpose(ops.transpose(x, 2, 5, 7), 2, 7, 5)).toEqual(x)
      expectNear(ops.transpose(Float64Array.of(1, 2, 3, 4, 5, 6), 1, 2, 3), [1, 4, 2, 5, 3, 6])
    })
  })

  describe(`activations of ${ops.name}`, () => {
    const x = Float64Array.of(-20, -2, -0.5, 0, 1e-4, 0.5, 2, 20)

    it('are those of the field', () => {
      expectNear(ops.sigmoid(x), [2e-9, 0.1192029, 0.3775407, 0.5, 0.500025, 0.6224593, 0.8807971, 1])
      expectNear(ops.tanh(x), [-1, -0.9640276, -0.4621172, 0, 1e-4, 0.4621172, 0.9640276, 1])
      // torch.nn.functional.gelu(x, approximate='tanh')
      expectNear(ops.gelu(Float64Array.of(-2, -0.5, 0, 0.5, 2)), [-0.0454023, -0.154286, 0, 0.345714, 1.9545977])
    })

    it('keep relative precision near zero, where a cancelling formula has none', () => {
      const small = build(20, (i) => Math.fround(10 ** -(1 + i / 4)))
      const tanh = ops.tanh(small)
      small.forEach((value, i) => expect(Math.abs(at(tanh, i) / Math.tanh(value) - 1)).toBeLessThan(errorMax))
      const sigmoid = ops.sigmoid(small.map((value) => -1 / value).map((value) => Math.max(value, -80)))
      sigmoid.forEach((value, i) => {
        const exact = 1 / (1 + Math.exp(Math.min(80, 1 / at(small, i))))
        expect(Math.abs(value / exact - 1)).toBeLessThan(20 * errorMax)
      })
    })

    it('a NaN stays a NaN, so that divergence is seen', () => {
      const bad = Float64Array.of(Number.NaN, 1, 2, 3, Number.NaN)
      for (const of of [ops.gelu, ops.tanh, ops.sigmoid]) {
        const out = of(bad)
        expect([...out].map(Number.isNaN)).toEqual([true, false, false, false, true])
      }
    })
  })

  describe(`time encoding of ${ops.name}`, () => {
    it('is a cosine of ages up to a billion seconds', () => {
      const age = Float64Array.of(0, 1, 3.5, 86_400, 1e6, 123_456_784, 1e9)
      const omega = Float64Array.from([1, 0.37, 0.1, 1e-3, 3e-7], Math.fround)
      const exact = [...age].flatMap((t) => [...omega].map((w) => Math.cos(t * w)))
      expectNear(ops.timeEncoding(age, omega), exact)
    })
  })

  describe(`normalisation of ${ops.name}`, () => {
    it('a normalised row has mean 0 and variance 1 before gain and bias, however far it lies from zero', () => {
      for (const columns of [3, 8, 70]) {
        const x = randomVector(4 * columns, 'norm').map((value) => Math.fround(value + 100))
        const { out, stats } = ops.layerNorm(
          x,
          build(columns, () => 1),
          build(columns, () => 0),
          0,
        )
        for (let r = 0; r < 4; r++) {
          const row = out.subarray(r * columns, (r + 1) * columns)
          expect(Math.abs(sum(columns, (c) => at(row, c)) / columns)).toBeLessThan(100 * errorMax)
          expect(Math.abs(sum(columns, (c) => at(row, c) ** 2) / columns - 1)).toBeLessThan(100 * errorMax)
          expect(at(stats, 2 * r)).toBeCloseTo(100, 0)
        }
      }
    })

    it('gain and bias act on columns, and epsilon keeps a constant row finite', () => {
      const [gain, bias] = [Float64Array.of(2, 3), Float64Array.of(10, 20)]
      expectNear(ops.layerNorm(Float64Array.of(1, 3, 7, 7), gain, bias, 1e-5).out, [8.00001, 22.999985, 10, 20])
    })

    it('rows of a softmax sum to one, and a shift of the row changes nothing', () => {
      for (const columns of [1, 3, 8, 37]) {
        const x = randomVector(3 * columns, 'soft')
        const y = ops.softmax(x, columns)
        for (let r = 0; r < 3; r++)
          expect(Math.abs(sum(columns, (c) => at(y, r * columns + c)) - 1)).toBeLessThan(10 * errorMax)
        const far = ops.softmax(
          x.map((value) => value + 1024),
          columns,
        )
        expect(relativeError(far, y)).toBeLessThan(1e-3)
      }
    })

    it('a masked entry of minus infinity gets exactly zero', () => {
      const y = ops.softmax(Float64Array.of(0, -Infinity, 0, -Infinity, -1000), 5)
      expectNear(y, [0.5, 0, 0.5, 0, 0])
      expect([at(y, 1), at(y, 3), at(y, 4)]).toEqual([0, 0, 0])
    })
  })

  describe(`reductions of ${ops.name}`, () => {
    const csr: Csr = { pointers: Uint32Array.of(0, 2, 2, 5), indices: Uint32Array.of(3, 1, 0, 3, 3) }
    const x = Float64Array.of(1, 10, 2, 20, 3, 30, 4, 40)

    it('a segment sums the rows that it lists, as often as it lists them; an empty one is zero', () => {
      expectNear(ops.segmentSum(x, csr, 2), [6, 60, 0, 0, 9, 90])
      expectNear(ops.segmentMean(x, csr, 2), [3, 30, 0, 0, 3, 30])
      expectNear(ops.segmentWeightedSum(x, csr, Float64Array.of(1, 0.5, 9, -1), 2), [-3, -30, 0, 0, -7, -70])
      expectNear(ops.inverseCounts(csr), [0.5, 0, 1 / 3])
      expectNear(ops.gatherRows(x, Uint32Array.of(2, 2, 0), 2), [3, 30, 3, 30, 1, 10])
    })

    it('the transposed CSR lists segments in ascending order, and transposing it again sorts the indices', () => {
      const transposed = ops.transposeCsr(csr, 4)
      expect([...transposed.pointers]).toEqual([0, 1, 2, 2, 5])
      expect([...transposed.indices]).toEqual([2, 0, 0, 2, 2])
      const large = randomCsr(50, 40, 300, 'transposed')
      const sorted = ops.transposeCsr(ops.transposeCsr(large, 40), 50)
      const rows = (of: Csr): number[][] =>
        Array.from({ length: 50 }, (_, s) => [...of.indices.subarray(of.pointers[s], of.pointers[s + 1])])
      expect(rows(sorted)).toEqual(rows(large).map((row) => row.sort((a, b) => a - b)))
    })
  })

  describe(`the gated recurrent unit of ${ops.name}`, () => {
    it('keeps its state where the update gate is open, and takes the new value where it is shut', () => {
      const h = Float64Array.of(0.3, -0.7)
      const a = Float64Array.of(0, 0, 40, -40, 1, 1)
      const { out, gates } = ops.gruCell(a, new Float64Array(6), h, 2)
      expectNear(out, [0.3, Math.tanh(1)])
      expectNear(gates, [0.5, 0.5, 1, 0, Math.tanh(1), Math.tanh(1)])
    })

    it('the reset gate hides the hidden part of the new value', () => {
      const [a, u] = [Float64Array.of(-40, 0, 0.25), Float64Array.of(0, 0, 5)]
      expectNear(ops.gruCell(a, u, Float64Array.of(0), 1).out, [Math.tanh(0.25) / 2])
    })
  })

  describe(`steps and norms of ${ops.name}`, () => {
    it('arithmetic is what its names say', () => {
      const [x, y] = [Float64Array.of(1, 2, 3, 4, 5), Float64Array.of(10, 20, 30, 40, 50)]
      expectNear(ops.axpy(2, x, y), [12, 24, 36, 48, 60])
      expectNear(ops.scale(0.5, y), [5, 10, 15, 20, 25])
      expectNear(ops.add(x, y), [11, 22, 33, 44, 55])
      expectNear(ops.multiply(x, y), [10, 40, 90, 160, 250])
      expectNear(ops.sgd(x, y, 0.1), [0, 0, 0, 0, 0])
    })

    it('clipping shortens what is too long to just the bound, and leaves the rest alone', () => {
      for (const length of [1, 4, 37, 1000]) {
        const x = randomVector(length, 'clip')
        const norm = Math.sqrt(ops.squaredNorm(x))
        const clipped = ops.clipNorm(x, norm / 3)
        expect(clipped.norm).toBeCloseTo(norm, 6)
        const after = Math.sqrt(ops.squaredNorm(clipped.out))
        expect(after).toBeLessThanOrEqual((norm / 3) * (1 + 1e-12))
        expect(after).toBeGreaterThan((norm / 3) * (1 - 1e-6))
        expect(ops.clipNorm(x, 2 * norm).out).toEqual(x)
      }
    })

    it('Adam keeps running means of the gradient and of its square', () => {
      const step = { rate: 0.1, beta1: 0.9, beta2: 0.99, epsilon: 1e-8, scale: 2 }
      const state = { p: Float64Array.of(1), m: Float64Array.of(0.5), v: Float64Array.of(0.25), g: Float64Array.of(2) }
      const { p, m, v } = ops.adam({ ...state, ...step })
      expectNear(m, [0.65])
      expectNear(v, [0.2875])
      expectNear(p, [1 - 0.065 / (2 * Math.sqrt(0.2875))])
    })
  })
}
