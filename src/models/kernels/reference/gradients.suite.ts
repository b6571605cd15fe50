/** Every backward operator against central differences of the float64 forward operator. */

import { describe, expect, it } from 'vitest'
import { prng } from '../../../base/prng.ts'
import type { Csr, Ops, Product, Vector } from './ops.ts'
import { reference } from './reference.ts'
import { at, sum } from './vectors.ts'

type Inputs = Readonly<Record<string, Vector>>

/** Inputs by name, the operator, and the gradients of the same names from the gradient `g` of its output. */
interface Differentiable<Names extends string = string> {
  readonly name: string
  readonly inputs: Readonly<Record<Names, Vector>>
  forward(ops: Ops, inputs: Readonly<Record<Names, Vector>>): Vector
  backward(ops: Ops, g: Vector, inputs: Readonly<Record<Names, Vector>>): Readonly<Record<Names, Vector>>
}

/** Float32 values, so that both implementations start from the same numbers; none within 0.05 of the kink of a ReLU. */
export function randomVector(length: number, seed: string): Vector {
  const random = prng(`ops/${seed}`)
  return Float64Array.from({ length }, () => {
    const value = random.uniform() * 2 - 1
    return Math.fround(value + 0.05 * Math.sign(value))
  })
}

/** A CSR of random indices; the last segment and at least one row are left out. */
export function randomCsr(segments: number, rows: number, entries: number, seed: string): Csr {
  const random = prng(`csr/${seed}`)
  const cuts = Array.from({ length: segments - 2 }, () => random.below(entries + 1)).sort((a, b) => a - b)
  return {
    pointers: Uint32Array.from([0, ...cuts, entries, entries]),
    indices: Uint32Array.from({ length: entries }, () => random.below(rows - 1)),
  }
}

const STEP = 1e-5

/** d(g . forward)/d(inputs[name]), one element at a time, in float64. */
function centralDifferences(item: Differentiable, g: Vector, name: string): Vector {
  const original = item.inputs[name] ?? new Float64Array()
  const loss = (i: number, step: number): number => {
    const moved = original.slice()
    moved[i] = at(moved, i) + step
    const out = item.forward(reference, { ...item.inputs, [name]: moved })
    return sum(out.length, (k) => at(out, k) * at(g, k))
  }
  return original.map((_, i) => (loss(i, STEP) - loss(i, -STEP)) / (2 * STEP))
}

/** Largest difference, relative to the value itself and never to less than the root mean square of all. */
export function relativeError(got: Vector, wanted: Vector): number {
  if (got.length !== wanted.length) return Number.POSITIVE_INFINITY
  const size = Math.sqrt(sum(wanted.length, (i) => at(wanted, i) ** 2) / Math.max(1, wanted.length))
  let worst = 0
  wanted.forEach((value, i) => {
    const error = Math.abs(at(got, i) - value) / Math.max(Math.abs(value), size, 1e-12)
    worst = error <= worst ? worst : error
  })
  return worst
}

function differentiable<Names extends string>(item: Differentiable<Names>): Differentiable {
  return item as unknown as Differentiable
}

function products(): Differentiable[] {
  return [
    [5, 7, 6],
    [9, 17, 13],
  ].map(([m = 0, n = 0, k = 0]) => {
    const plain = { m, n, k, aRow: k, aColumn: 1, bRow: n, bColumn: 1 }
    const toA: Product = { m, n: k, k: n, aRow: n, aColumn: 1, bRow: 1, bColumn: n }
    const toB: Product = { m: k, n, k: m, aRow: 1, aColumn: k, bRow: n, bColumn: 1 }
    return differentiable({
      name: `a product ${m} x ${k} x ${n}, by products with transposed strides`,
      inputs: { a: randomVector(m * k, 'a'), b: randomVector(k * n, 'b') },
      forward: (ops, { a, b }) => ops.gemm(a, b, plain),
      backward: (ops, g, { a, b }) => ({ a: ops.gemm(g, b, toA), b: ops.gemm(a, g, toB) }),
    })
  })
}

function layers(columns: number): Differentiable[] {
  const x = randomVector(5 * columns, 'x')
  const bias = randomVector(columns, 'bias')
  const gain = randomVector(columns, 'gain')
  return [
    differentiable({
      name: `bias and ReLU, ${columns} wide`,
      inputs: { x, bias },
      forward: (ops, { x, bias }) => ops.biasRelu(x, bias, true),
      backward(ops, g, { x, bias }) {
        const masked = ops.reluBackward(g, ops.biasRelu(x, bias, true))
        return { x: masked, bias: ops.columnSums(masked, columns) }
      },
    }),
    differentiable({
      name: `layer normalisation, ${columns} wide`,
      inputs: { x, gain, bias },
      forward: (ops, { x, gain, bias }) => ops.layerNorm(x, gain, bias, 1e-5).out,
      backward: (ops, g, { x, gain, bias }) =>
        ops.layerNormBackward(g, x, gain, ops.layerNorm(x, gain, bias, 1e-5).stats),
    }),
    differentiable({
      name: `softmax, ${columns} wide`,
      inputs: { x },
      forward: (ops, { x }) => ops.softmax(x, columns),
      backward: (ops, g, { x }) => ({ x: ops.softmaxBackward(g, ops.softmax(x, columns), columns) }),
    }),
    differentiable({
      name: `transposition, ${columns} wide`,
      inputs: { x },
      forward: (ops, { x }) => ops.transpose(x, 1, 5, columns),
      backward: (ops, g) => ({ x: ops.transpose(g, 1, columns, 5) }),
    }),
  ]
}

function activations(length: number): Differentiable[] {
  const x = bendingRange(length)
  return [
    differentiable({
      name: `GELU of ${length}`,
      inputs: { x },
      forward: (ops, { x }) => ops.gelu(x),
      backward: (ops, g, { x }) => ({ x: ops.geluBackward(g, x) }),
    }),
    differentiable({
      name: `tanh of ${length}`,
      inputs: { x },
      forward: (ops, { x }) => ops.tanh(x),
      backward: (ops, g, { x }) => ({ x: ops.tanhBackward(g, ops.tanh(x)) }),
    }),
    differentiable({
      name: `sigmoid of ${length}`,
      inputs: { x },
      forward: (ops, { x }) => ops.sigmoid(x),
      backward: (ops, g, { x }) => ({ x: ops.sigmoidBackward(g, ops.sigmoid(x)) }),
    }),
  ]
}

/** From -3 to 3, where all of them bend. */
function bendingRange(length: number): Vector {
  return randomVector(length, 'bend').map((value) => Math.fround(3 * value))
}

function reductions(columns: number): Differentiable[] {
  const [segments, rows] = [6, 8]
  const csr = randomCsr(segments, rows, 23, `${columns}`)
  const x = randomVector(rows * columns, 'x')
  const weights = randomVector(rows, 'weights')
  const indices = Uint32Array.of(3, 3, 0, 7, 1)
  const picks: Csr = { pointers: Uint32Array.of(0, 1, 2, 3, 4, 5), indices }
  return [
    differentiable({
      name: `segment sums, ${columns} wide, by sums over the transposed CSR`,
      inputs: { x },
      forward: (ops, { x }) => ops.segmentSum(x, csr, columns),
      backward: (ops, g) => ({ x: ops.segmentSum(g, ops.transposeCsr(csr, rows), columns) }),
    }),
    differentiable({
      name: `segment means, ${columns} wide, by weighted sums over the transposed CSR`,
      inputs: { x },
      forward: (ops, { x }) => ops.segmentMean(x, csr, columns),
      backward: (ops, g) => ({
        x: ops.segmentWeightedSum(g, ops.transposeCsr(csr, rows), ops.inverseCounts(csr), columns),
      }),
    }),
    differentiable({
      name: `weighted segment sums, ${columns} wide`,
      inputs: { x },
      forward: (ops, { x }) => ops.segmentWeightedSum(x, csr, weights, columns),
      backward(ops, g) {
        const spread = ops.segmentSum(g, ops.transposeCsr(csr, rows), columns)
        return { x: spread.map((value, i) => value * at(weights, Math.floor(i / columns))) }
      },
    }),
    differentiable({
      name: `gathered rows, ${columns} wide, by sums over the transposed CSR`,
      inputs: { x },
      forward: (ops, { x }) => ops.gatherRows(x, indices, columns),
      backward: (ops, g) => ({ x: ops.segmentSum(g, ops.transposeCsr(picks, rows), columns) }),
    }),
  ]
}

function recurrent(size: number): Differentiable {
  const rows = 3
  return differentiable({
    name: `the gated recurrent unit of ${size}`,
    inputs: {
      a: randomVector(rows * 3 * size, 'a'),
      u: randomVector(rows * 3 * size, 'u'),
      h: randomVector(rows * size, 'h'),
    },
    forward: (ops, { a, u, h }) => ops.gruCell(a, u, h, size).out,
    backward: (ops, g, { a, u, h }) => ops.gruCellBackward(g, ops.gruCell(a, u, h, size).gates, u, h, size),
  })
}

function losses(): Differentiable[] {
  const labels = Uint8Array.from({ length: 11 }, (_, i) => i % 2)
  const weights = randomVector(11, 'loss weights').map(Math.abs)
  const anchor = randomVector(11, 'anchor')
  return [
    differentiable({
      name: 'the weighted logistic loss',
      inputs: { logits: bendingRange(11) },
      forward: (ops, { logits }) => Float64Array.of(0.25 * ops.logisticLoss(logits, labels, weights, 0.25).loss),
      backward: (ops, g, { logits }) => ({
        logits: ops.logisticLoss(logits, labels, weights, 0.25 * at(g, 0)).gradient,
      }),
    }),
    differentiable({
      name: 'the proximal term',
      inputs: { p: randomVector(11, 'p') },
      forward: (ops, { p }) => Float64Array.of(0.35 * ops.squaredDistance(p, anchor)),
      backward: (ops, g, { p }) => ({ p: ops.proximal(new Float64Array(11), p, anchor, 0.7 * at(g, 0)) }),
    }),
  ]
}

const CASES: readonly Differentiable[] = [
  ...products(),
  ...layers(7),
  ...layers(36),
  ...activations(1),
  ...activations(39),
  ...reductions(3),
  ...reductions(70),
  recurrent(5),
  recurrent(8),
  ...losses(),
]

/** Runs every case on an implementation; gradients have to be within `errorMax`. */
export function gradientSuite(ops: Ops, errorMax: number): void {
  describe(`gradients of ${ops.name} agree with float64 central differences to ${errorMax}`, () => {
    it.each(CASES)('$name', (item) => {
      const g = randomVector(item.forward(reference, item.inputs).length, 'g')
      const gradients: Inputs = item.backward(ops, g, item.inputs)
      for (const name of Object.keys(item.inputs)) {
        const error = relativeError(gradients[name] ?? new Float64Array(), centralDifferences(item, g, name))
        expect(error, `gradient by ${name}`).toBeLessThan(errorMax)
      }
    })
  })
}
