/**
 * Prints the SHA-256 of what every kernel computes from fixed inputs: `node kernel-bits.mjs kernels.wasm`. Plain JavaScript
 * without a package, so that any Node can run it and versions can be compared.
 */

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

const { WebAssembly } = /** @type {any} */ (globalThis)
const memory = new WebAssembly.Memory({ initial: 64 })
const module = new WebAssembly.Module(readFileSync(process.argv[2] ?? ''))
const imports = { env: { memory, abort: () => process.exit(1) } }
const kernels = /** @type {any} */ (new WebAssembly.Instance(module, imports).exports)

let top = Math.ceil(kernels.MEMORY_BASE.value / 64) * 64
/** @param {number} bytes */
const allocate = (bytes) => {
  const offset = top
  top += Math.ceil(bytes / 64) * 64
  return offset
}

let state = 1
/** A float from -1 to 1: Numerical Recipes' generator, which is integer arithmetic. */
const next = () => {
  state = (Math.imul(state, 1664525) + 1013904223) | 0
  return (state >> 8) / 2 ** 23
}
/** @param {number} length @param {number} size */
const floats = (length, size = 1) => {
  const offset = allocate(4 * length)
  new Float32Array(memory.buffer, offset, length).set(Float32Array.from({ length }, () => size * next()))
  return offset
}
/** @param {readonly number[]} values */
const integers = (values) => {
  const offset = allocate(4 * values.length)
  new Uint32Array(memory.buffer, offset, values.length).set(values)
  return offset
}

const [rows, columns] = [77, 53]
const n = rows * columns
const scratch = allocate(kernels.SCRATCH_BYTES.value)
const from = top
const [x, g, y, gain, bias] = [floats(n, 4), floats(n), floats(n), floats(columns), floats(columns)]
const numbers = []

for (const [aRow, aColumn, bRow, bColumn] of [
  [columns, 1, rows, 1],
  [1, rows, rows, 1],
  [columns, 1, 1, columns],
])
  kernels.gemm(x, aRow, aColumn, g, bRow, bColumn, allocate(4 * rows * rows), rows, rows, columns, 0, scratch)
kernels.gemm(x, columns, 1, gain, 1, 1, allocate(4 * rows), rows, 1, columns, 0, scratch)
const stats = allocate(8 * rows)
kernels.layerNorm(x, gain, bias, allocate(4 * n), stats, rows, columns, 1e-5)
const [gGain, gBias] = [allocate(4 * columns), allocate(4 * columns)]
kernels.layerNormBackward(g, x, gain, stats, allocate(4 * n), gGain, gBias, rows, columns)
for (const name of ['gelu', 'tanhOf', 'sigmoidOf']) kernels[name](x, allocate(4 * n), n)
for (const name of ['geluBackward', 'tanhBackward', 'sigmoidBackward']) kernels[name](g, y, allocate(4 * n), n)
kernels.softmax(x, allocate(4 * n), rows, columns)
kernels.softmaxBackward(g, y, allocate(4 * n), rows, columns)
kernels.timeEncoding(floats(rows, 1e9), gain, allocate(4 * n), rows, columns)
const pointers = integers([0, 3, 3, 10])
const indices = integers([1, 5, 5, 0, 2, 4, 70, 3, 3, 9])
for (const name of ['segmentSum', 'segmentMean'])
  kernels[name](x, pointers, indices, allocate(12 * columns), 3, columns)
const third = Math.floor(columns / 3)
kernels.gruCell(x, g, y, allocate(4 * rows * third), allocate(12 * rows * third), rows, third)
numbers.push(kernels.logisticLoss(y, integers(Array(rows).fill(1)), floats(rows), allocate(4 * rows), rows, 0.1))
numbers.push(kernels.squaredNorm(x, n), kernels.clipNorm(g, n, 1), kernels.expOf(1.5), kernels.softplusOf(-2))
kernels.adam(x, g, y, allocate(4 * n), n, 0.01, 0.9, 0.999, 1e-8, 2)

// Rows of updates: distances by products, and again by differences between the first two; a median; a sum.
const [updates, length] = [9, 2112]
const stride = 4 * length
const block = floats(updates * length)
new Uint8Array(memory.buffer).copyWithin(block + stride, block, block + stride - 400)
const tableBytes = 8 * kernels.distancesLength(updates)
const [sums, table] = [allocate(tableBytes), allocate(tableBytes)]
kernels.pairDistances(block, stride, updates, length, sums, table, allocate(kernels.distancesWork(updates)))
const pairs = integers(
  [0, 1, 3, 4, 6, 7, 1, 2, 4, 5, 7, 8, 0, 1, 3, 4, 6, 7, 0, 3, 3, 6, 0, 3].map((wire) => 64 * wire),
)
const [columns16, middle, remote] = [allocate(64 * updates), allocate(stride), allocate(8 * (updates + 1))]
kernels.sortedMean(block, stride, updates, length, pairs, 12, 3, 6, columns16, middle, remote)
const weights = allocate(8 * updates)
new Float64Array(memory.buffer, weights, updates).set(Array.from({ length: updates }, (_, i) => 1 / (i + 2)))
kernels.weightedSum(block, stride, updates, length, weights, allocate(8192), allocate(stride))

const hash = createHash('sha256').update(new Uint8Array(memory.buffer, from, top - from))
console.log(hash.update(new Uint8Array(Float64Array.from(numbers).buffer)).digest('hex'))
