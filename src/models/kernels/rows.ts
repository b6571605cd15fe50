/**
 * A block of coordinates of many vectors, one row each, in a memory of its own: files are read straight into the rows, and
 * robust statistics are taken over them column by column. Memory is rows times length, however long the vectors are.
 */

import { fail } from '../../base/errors.ts'
import type { InstantiateFixed } from './accumulator.ts'
import { Arena, pagesFor } from './arena.ts'
import type { KernelExports } from './exports.ts'

/** Comparators over the rows, first and second wire in turn. */
export interface Comparators {
  readonly pairs: Uint32Array
}

export interface Rows {
  /** Coordinates that a row holds. */
  readonly length: number
  /** To be filled by the caller, in place. */
  readonly inputs: readonly Float32Array<ArrayBuffer>[]
  /** Takes `matrix` (row-major, so many columns as inputs) times the inputs as the rows of what follows; null = the inputs. */
  mix(matrix: Float32Array | null): void
  /** Mean of the wires from..to-1 of the network over each column. */
  sortedMean(network: Comparators, from: number, to: number, out: Float32Array): void
  /** Mean of the `keep` values of each column nearest to its median; the network must sort. */
  windowMean(network: Comparators, keep: number, out: Float32Array): void
  /** sums[i * n + j] += squared distance of inputs i < j over the first `count` coordinates. */
  addPairDistances(count: number, sums: Float64Array): void
  /** sums[i] += squared distance of input i to the result of the last mean. */
  addDistancesToMean(count: number, sums: Float64Array): void
  /** Gives the memory back; neither the inputs nor anything else may be used afterwards. */
  release(): void
}

/** Rows that begin in the same set of the cache, at a multiple of a large power of two, would push each other out of it. */
const SKEW_BYTES = 64
const LANES = 16
/** The kernels' own data, their scratch for products of matrices, and alignment. */
const SPARE_BYTES = 4 << 20

/** @param inputs - vectors @param mixed - most rows that {@link Rows.mix} makes, 0 = none */
export type MakeRows = (length: number, inputs: number, mixed: number) => Rows

export function rowsOver(instantiate: InstantiateFixed): MakeRows {
  return (length, inputs, mixed) => {
    checkSize(length, inputs)
    const { bytes } = sizesOf(length, inputs, mixed)
    const { raw, memory } = instantiate(pagesFor(bytes + SPARE_BYTES))
    return createRows(raw, new Arena(memory, raw.MEMORY_BASE.value), length, inputs, mixed)
  }
}

/** Blocks in a memory that others use too, and whose growth detaches no views: one that threads share. */
export function rowsIn(raw: KernelExports, arena: Arena): MakeRows {
  return (length, inputs, mixed) => {
    checkSize(length, inputs)
    return createRows(raw, arena, length, inputs, mixed)
  }
}

function checkSize(length: number, inputs: number): void {
  if (!Number.isSafeInteger(length) || length < 1 || inputs < 1)
    fail('internal', `a block of ${inputs} rows of ${length} values cannot be made`)
}

const padded = (length: number): number => Math.ceil(length / LANES) * LANES

interface Sizes {
  readonly width: number
  readonly stride: number
  readonly comparators: number
  /** Of everything. */
  readonly bytes: number
}

function sizesOf(length: number, inputs: number, mixed: number): Sizes {
  const width = padded(length)
  const stride = 4 * width + SKEW_BYTES
  // Merge exchange has about n log2(n)^2 / 4 comparators.
  const comparators = inputs * Math.ceil(Math.log2(inputs + 1)) ** 2
  const tables = 8 * inputs * inputs + 8 * comparators + 64 * (inputs + mixed) + 4 * inputs * mixed
  return { width, stride, comparators, bytes: (inputs + mixed + 2) * stride + tables }
}

function createRows(raw: KernelExports, arena: Arena, length: number, inputCount: number, mixedCount: number): Rows {
  const { width, stride, comparators } = sizesOf(length, inputCount, mixedCount)
  const taken: number[] = []
  const allocate = (bytes: number): number => {
    const offset = arena.allocate(bytes)
    taken.push(offset)
    return offset
  }
  const rows = allocate(inputCount * stride)
  const mixedRows = allocate(Math.max(1, mixedCount) * stride)
  const result = allocate(4 * width)
  const block = allocate(64 * Math.max(inputCount, mixedCount))
  const sums = allocate(8 * inputCount * inputCount)
  const matrixAt = allocate(Math.max(4, 4 * inputCount * mixedCount))
  const scratch = mixedCount > 0 ? allocate(raw.SCRATCH_BYTES.value) : 0
  const pairsAt = allocate(8 * comparators)
  let loaded: Comparators | undefined
  let active = { at: rows, count: inputCount, stride }

  const wires = (count: number): Uint32Array => new Uint32Array(arena.bytes(pairsAt, 4 * count).buffer, pairsAt, count)

  function load(network: Comparators): number {
    if (network.pairs.length > 2 * comparators)
      fail('internal', 'the network has more comparators than there is room for')
    if (loaded !== network) wires(network.pairs.length).set(network.pairs.map((wire) => 64 * wire))
    loaded = network
    return network.pairs.length / 2
  }

  /** Zeros behind the last coordinate: padding must be alike in all rows. */
  function clearPadding(count: number): void {
    for (let i = 0; i < inputCount; i++) arena.float32(rows + i * stride + 4 * count, padded(count) - count).fill(0)
  }

  function mix(matrix: Float32Array | null): void {
    active = { at: rows, count: inputCount, stride }
    if (matrix === null) return
    const made = matrix.length / inputCount
    if (!Number.isInteger(made) || made > mixedCount) fail('wrong-shape', 'the mixing does not fit the rows')
    arena.float32(matrixAt, matrix.length).set(matrix)
    raw.gemm(matrixAt, inputCount, 1, rows, stride / 4, 1, mixedRows, made, stride / 4, inputCount, 0, scratch)
    active = { at: mixedRows, count: made, stride }
  }

  return {
    length,
    inputs: Array.from({ length: inputCount }, (_, i) => arena.float32(rows + i * stride, length)),
    mix,
    sortedMean(network, from, to, out) {
      const comparatorCount = load(network)
      const { at, count, stride: step } = active
      raw.sortedMean(at, step, count, padded(out.length), pairsAt, comparatorCount, from, to, block, result)
      out.set(arena.float32(result, out.length))
    },
    windowMean(network, keep, out) {
      const comparatorCount = load(network)
      const { at, count, stride: step } = active
      raw.windowMean(at, step, count, padded(out.length), pairsAt, comparatorCount, keep, block, result)
      out.set(arena.float32(result, out.length))
    },
    addPairDistances(count, into) {
      clearPadding(count)
      const own = arena.float64(sums, inputCount * inputCount)
      own.set(into)
      raw.pairDistances(rows, stride, inputCount, count, sums, 0, 1)
      into.set(own)
    },
    addDistancesToMean(count, into) {
      clearPadding(count)
      arena.float32(result + 4 * count, padded(count) - count).fill(0)
      const own = arena.float64(sums, inputCount)
      own.set(into)
      raw.rowDistances(rows, stride, inputCount, result, count, sums)
      into.set(own)
    },
    release() {
      for (const offset of taken.splice(0)) arena.release(offset)
    },
  }
}
