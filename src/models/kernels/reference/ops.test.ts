import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { loadKernels } from '../../../../test/kernels.ts'
import { gradientSuite, randomCsr, randomVector, relativeError } from './gradients.suite.ts'
import { opsOver } from './kernel-ops.ts'
import type { Ops, Vector } from './ops.ts'
import { opsSuite } from './ops.suite.ts'
import { pytorchSuite } from './pytorch.suite.ts'
import { reference } from './reference.ts'

const kernels = opsOver(loadKernels())

opsSuite(reference, 1e-6)
opsSuite(kernels, 1e-6)
pytorchSuite(reference, 1e-9)
pytorchSuite(kernels, 1e-6)
gradientSuite(reference, 1e-6)
gradientSuite(kernels, 1e-3)

describe('the kernels agree with the reference to 1e-5 at any length', () => {
  const size = fc.integer({ min: 1, max: 70 })
  /** Compares what `work` makes of vectors of that many rows and columns. */
  const agree = (work: (ops: Ops, rows: number, columns: number) => readonly Vector[]): void =>
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), size, (rows, columns) => {
        const [got, wanted] = [work(kernels, rows, columns), work(reference, rows, columns)]
        got.forEach((vector, i) => expect(relativeError(vector, wanted[i] ?? new Float64Array())).toBeLessThan(1e-5))
      }),
    )

  it('activations', () =>
    agree((ops, rows, columns) => {
      const [x, g] = [
        randomVector(rows * columns, 'x').map((value) => Math.fround(6 * value)),
        randomVector(rows * columns, 'g'),
      ]
      return [ops.gelu(x), ops.geluBackward(g, x), ops.tanh(x), ops.tanhBackward(g, x), ops.sigmoid(x)]
    }))

  it('normalisation', () =>
    agree((ops, rows, columns) => {
      const [x, g] = [randomVector(rows * columns, 'x'), randomVector(rows * columns, 'g')]
      const [gain, bias] = [randomVector(columns, 'gain'), randomVector(columns, 'bias')]
      const { out } = ops.layerNorm(x, gain, bias, 0.1)
      const stats = reference.layerNorm(x, gain, bias, 0.1).stats
      const back = ops.layerNormBackward(g, x, gain, stats)
      return [out, back.gain, back.bias, ops.softmax(x, columns), ops.softmaxBackward(g, x, columns)]
    }))

  it('reductions', () =>
    agree((ops, rows, columns) => {
      const [segments, listed] = [rows + 2, rows + 3]
      const csr = randomCsr(segments, listed, 5 * rows, 'agree')
      const [x, weights] = [randomVector(listed * columns, 'x'), randomVector(listed, 'w')]
      return [
        ops.segmentSum(x, csr, columns),
        ops.segmentMean(x, csr, columns),
        ops.segmentWeightedSum(x, csr, weights, columns),
        ops.gatherRows(x, csr.indices, columns),
      ]
    }))

  it('the gated recurrent unit', () =>
    agree((ops, rows, size) => {
      const [a, u] = [randomVector(rows * 3 * size, 'a'), randomVector(rows * 3 * size, 'u')]
      const h = randomVector(rows * size, 'h')
      return [ops.gruCell(a, u, h, size).out]
    }))

  it('arithmetic and steps', () =>
    agree((ops, rows, columns) => {
      const [x, y] = [randomVector(rows * columns, 'x'), randomVector(rows * columns, 'y')]
      return [
        ops.axpy(0.3, x, y),
        ops.scale(0.3, x),
        ops.multiply(x, y),
        ops.clipNorm(x, 0.5).out,
        ops.proximal(x, y, x, 0.1),
        ops.transpose(x, 1, rows, columns),
      ]
    }))
})

describe('a value gets the same bits in every lane and at every place', () => {
  it('of the activations', () => {
    const value = Math.fround(0.7234)
    for (const of of [kernels.gelu, kernels.tanh, kernels.sigmoid])
      for (let length = 1; length < 12; length++) {
        const out = of(new Float64Array(length).fill(value))
        expect(new Set(out).size).toBe(1)
        expect(out[0]).toBe(of(Float64Array.of(value))[0])
      }
  })

  it('of the time encoding', () => {
    const omega = Float64Array.from([1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001], Math.fround)
    const all = kernels.timeEncoding(Float64Array.of(1e8), omega)
    omega.forEach((w, i) => expect(all[i]).toBe(kernels.timeEncoding(Float64Array.of(1e8), Float64Array.of(w))[0]))
  })
})
