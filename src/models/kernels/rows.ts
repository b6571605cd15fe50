/**
 * Two blocks of coordinates of many vectors, one row each: files are read straight into the rows of one while statistics are
 * taken over the other, column by column, or distances between rows. Memory is twice rows times length, however long the
 * vectors are.
 */

import { fail } from '../../base/errors.ts'
import type { InstantiateFixed } from './accumulator.ts'
import { Arena, pagesFor } from './arena.ts'
import { distanceTable } from './distance-table.ts'
import type { KernelExports } from './exports.ts'
import { type RunKernel, runHere } from './run-kernel.ts'

/** Comparators over the rows, first and second wire in turn. */
export interface Comparators {
  readonly pairs: Uint32Array
}

type Row = Float32Array<ArrayBuffer>

/** One thing at a time: each is over before the next begins. `inputs` may be filled all the while. */
export interface Rows {
  /** Coordinates that a row holds. */
  readonly length: number
  /** To be filled by the caller, in place. */
  readonly inputs: readonly Row[]
  /** What follows is about what was filled, `taken`; `inputs` are now the rows of the other block. */
  turn(): void
  readonly taken: readonly Row[]
  /** Takes `matrix` (row-major, so many columns as inputs) times the rows as the rows of the next mean; null = the rows. */
  mix(matrix: Float32Array | null): Promise<void>
  /** Mean of the wires from..to-1 of the network over each column; distances[i] += squared distance of row i to it. */
  sortedMean(network: Comparators, from: number, to: number, out: Float32Array, distances?: Float64Array): Promise<void>
  /** Mean of the `keep` values of each column nearest to its median; the network must sort. */
  windowMean(network: Comparators, keep: number, out: Float32Array): Promise<void>
  /** Sum of the rows, each with its weight, row after row in float64. */
  weightedSum(weights: readonly number[], out: Float32Array): Promise<void>
  /** Adds the squared distances of all pairs over the first `count` coordinates, a multiple of 1024 but in the last block. */
  addPairDistances(count: number): Promise<void>
  /** What was added: of all rows and, last, of the origin; row-major, only i < j has meaning. */
  pairDistances(): Float64Array
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
    const place = { raw, arena: new Arena(memory, raw.MEMORY_BASE.value), run: runHere(raw) }
    return createRows(place, length, inputs, mixed)
  }
}

/** Blocks in a memory that others use too, and whose growth detaches no views: one that threads share. */
export function rowsIn(place: Place): MakeRows {
  return (length, inputs, mixed) => {
    checkSize(length, inputs)
    return createRows(place, length, inputs, mixed)
  }
}

export interface Place {
  readonly raw: KernelExports
  readonly arena: Arena
  readonly run: RunKernel
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
  const tables = 8 * comparators + 192 * (inputs + mixed) + 4 * inputs * mixed
  const distances = 10 * inputs * inputs + 6144 * (inputs + 8)
  return { width, stride, comparators, bytes: (2 * inputs + mixed + 2) * stride + tables + distances }
}

function createRows({ raw, arena, run }: Place, length: number, inputCount: number, mixedCount: number): Rows {
  const { width, stride, comparators } = sizesOf(length, inputCount, mixedCount)
  const taken: number[] = []
  const allocate = (bytes: number): number => {
    const offset = arena.allocate(bytes)
    taken.push(offset)
    return offset
  }
  const halves = [0, 1].map(() => rowsAt(arena, allocate(inputCount * stride), { length, stride, count: inputCount }))
  let [filling, full] = halves as [Half, Half]
  const mixedRows = allocate(Math.max(1, mixedCount) * stride)
  const result = allocate(4 * width)
  const block = allocate(64 * Math.max(inputCount, mixedCount))
  const sums = allocate(8 * (inputCount + 1))
  const matrixAt = allocate(Math.max(4, 4 * inputCount * mixedCount))
  const scratch = allocate(raw.SCRATCH_BYTES.value)
  const pairsAt = allocate(8 * comparators)
  const tableLength = raw.distancesLength(inputCount)
  let table: number | undefined
  let loaded: Comparators | undefined
  let active = { at: 0, count: inputCount }

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
    if (padded(count) === count) return
    for (let i = 0; i < inputCount; i++) arena.float32(full.at + i * stride + 4 * count, padded(count) - count).fill(0)
  }

  async function mix(matrix: Float32Array | null): Promise<void> {
    active = { at: full.at, count: inputCount }
    if (matrix === null) return
    const made = matrix.length / inputCount
    if (!Number.isInteger(made) || made > mixedCount) fail('wrong-shape', 'the mixing does not fit the rows')
    arena.float32(matrixAt, matrix.length).set(matrix)
    const columns = stride / 4
    await run('gemm', [matrixAt, inputCount, 1, full.at, columns, 1, mixedRows, made, columns, inputCount, 0, scratch])
    active = { at: mixedRows, count: made }
  }

  const give = (out: Float32Array): void => out.set(arena.float32(result, out.length))

  return {
    length,
    get inputs() {
      return filling.rows
    },
    get taken() {
      return full.rows
    },
    turn() {
      ;[filling, full] = [full, filling]
      active = { at: full.at, count: inputCount }
    },
    mix,
    async sortedMean(network, from, to, out, distances) {
      const { at, count } = active
      const comparators = load(network)
      const columns = padded(out.length)
      const added = distances === undefined ? 0 : sums
      if (distances !== undefined) {
        clearPadding(out.length)
        arena.float64(sums, count).set(distances)
      }
      await run('sortedMean', [at, stride, count, columns, pairsAt, comparators, from, to, block, result, added])
      give(out)
      distances?.set(arena.float64(sums, count))
    },
    async windowMean(network, keep, out) {
      const { at, count } = active
      const comparatorCount = load(network)
      await run('windowMean', [at, stride, count, padded(out.length), pairsAt, comparatorCount, keep, block, result])
      give(out)
    },
    async weightedSum(weights, out) {
      arena.float64(sums, weights.length).set(weights)
      await run('weightedSum', [full.at, stride, weights.length, padded(out.length), sums, scratch, result])
      give(out)
    },
    async addPairDistances(count) {
      clearPadding(count)
      if (table === undefined) {
        table = allocate(16 * tableLength + raw.distancesWork(inputCount))
        arena.float64(table, tableLength).fill(0)
      }
      const [other, work] = [table + 8 * tableLength, table + 16 * tableLength]
      await run('pairDistances', [full.at, stride, inputCount, count, table, other, work])
    },
    pairDistances: () =>
      distanceTable(
        inputCount,
        table === undefined ? new Float64Array(tableLength) : arena.float64(table, tableLength),
      ),
    release() {
      for (const offset of taken.splice(0)) arena.release(offset)
    },
  }
}

interface Half {
  readonly at: number
  readonly rows: readonly Row[]
}

function rowsAt(
  arena: Arena,
  at: number,
  of: { readonly length: number; readonly stride: number; readonly count: number },
): Half {
  return { at, rows: Array.from({ length: of.count }, (_, i) => arena.float32(at + i * of.stride, of.length)) }
}
