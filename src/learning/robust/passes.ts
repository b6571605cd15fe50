/**
 * The two passes of a robust aggregation over the files of a round. Both hold two blocks of coordinates of all updates, one
 * being read while the other is worked on, so memory depends on the number of organisations and not on the length of the
 * model.
 *
 * 1. The same updates give the same bits, whatever the size of the blocks: coordinates are independent of each other, and
 *    squares are summed over fixed spans of 1024, to which every block is rounded.
 */

import { fail } from '../../base/errors.ts'
import type { AggregationKernels } from '../../models/kernels/kernels.ts'
import type { Rows } from '../../models/kernels/rows.ts'
import { ranges, readValues, type TensorReader } from '../tensor-reader.ts'
import type { WeightedUpdate } from '../weighted-sum.ts'
import { selectingNetwork, sortingNetwork } from './network.ts'
import type { Plan } from './plan.ts'
import { indices } from './rule.ts'

/** Coordinates whose squares the kernels sum together. */
const SPAN = 1024
/** Twice 6.5 MB for a hundred organisations. Smaller reads cost a hop each, and threads more turns. */
export const ROBUST_CHUNK_ELEMENTS = 1 << 14
/** Values of a block of a weighted sum, which may be of one update only: reads of a megabyte at most. */
const WEIGHTED_VALUES = 1 << 20
const WEIGHTED_CHUNK_MAX = 1 << 18

export function chunkLength(size: number, wanted: number): number {
  return Math.ceil(Math.max(1, Math.min(size, wanted)) / SPAN) * SPAN
}

export function weightedChunk(updates: number): number {
  return Math.max(ROBUST_CHUNK_ELEMENTS, Math.min(WEIGHTED_CHUNK_MAX, Math.floor(WEIGHTED_VALUES / updates)))
}

/** First pass: squared distances of all updates and, last, of the origin: row-major, only i < j has meaning. */
export async function measureDistances(
  updates: readonly TensorReader[],
  size: number,
  chunkElements: number,
  kernels: Pick<AggregationKernels, 'rows'>,
): Promise<Float64Array> {
  const rows = kernels.rows(chunkLength(size, chunkElements), updates.length, 0)
  const blocks = readBlocks(updates, size, rows)
  try {
    for (const { count } of ranges(size, rows.length)) await blocks.next(() => rows.addPairDistances(count))
    return rows.pairDistances()
  } finally {
    await blocks.close()
    rows.release()
  }
}

interface Blocks {
  /** Waits for the next block, and reads the one after it during `work`. Not before the last `work` is over. */
  next(work: () => Promise<void>): Promise<void>
  /** Settled when no read is under way any more: the caller may close the files next. */
  close(): Promise<void>
}

/** The updates, block after block, into one half of the rows and the other in turn. */
function readBlocks(updates: readonly TensorReader[], size: number, rows: Rows): Blocks {
  const due = ranges(size, rows.length)
  let ahead = readNext()
  function readNext(): Promise<void> | undefined {
    const { value } = due.next()
    const reading = value && readRows(updates, value.start, value.count, rows.inputs)
    // Its failure is met when its turn comes; until then it must not count as unhandled.
    reading?.catch(() => undefined)
    return reading
  }
  return {
    async next(work) {
      await ahead
      rows.turn()
      // Threads begin first; whoever works in this one begins when it has asked for what comes next.
      const working = work()
      ahead = readNext()
      await working
    },
    close: async () => ahead?.catch(() => undefined),
  }
}

/** All at once; settled only when no read is under way any more. */
async function readRows(
  updates: readonly TensorReader[],
  start: number,
  count: number,
  inputs: Rows['inputs'],
): Promise<void> {
  const reads = updates.map((reader, i) => {
    const input = inputs[i] as Float32Array
    return readValues(reader, start, input.length === count ? input : input.subarray(0, count))
  })
  for (const outcome of await Promise.allSettled(reads)) if (outcome.status === 'rejected') throw outcome.reason
}

/** A second pass: block after block, in order. */
export interface Pass {
  /** Puts the result for the next out.length coordinates into `out`. */
  aggregate(out: Float32Array): Promise<void>
  /** Distance of each update that was read to the aggregate; only for a plan that reads them unmixed. */
  distances(): number[]
  /** Gives the memory back. */
  close(): Promise<void>
}

/** Of a rule over coordinates. @param length - as {@link chunkLength} gives it */
export function coordinatePass(
  plan: Extract<Plan, { kind: 'coordinates' }>,
  updates: readonly TensorReader[],
  { size, length }: { readonly size: number; readonly length: number },
  kernels: Pick<AggregationKernels, 'rows'>,
): Pass {
  const { statistic, mixing, sources } = plan
  const read = sources.map((i) => updates[i]).filter((reader) => reader !== undefined)
  const made = mixing === null ? read.length : mixing.length / read.length
  const rows = kernels.rows(length, read.length, mixing === null ? 0 : made)
  const blocks = readBlocks(read, size, rows)
  const network =
    statistic.name === 'window-mean' ? sortingNetwork(made) : selectingNetwork(made, statistic.from, statistic.to)
  const squared = new Float64Array(read.length)

  async function work(out: Float32Array): Promise<void> {
    // Not even a turn of the queue before the threads begin: the caller reads the next block in it.
    if (mixing !== null) await rows.mix(mixing)
    if (statistic.name === 'window-mean') await rows.windowMean(network, statistic.keep, out)
    else
      await rows.sortedMean(network, statistic.from, statistic.to, out, plan.remoteness === null ? squared : undefined)
  }

  return {
    aggregate: (out) => blocks.next(() => work(out)),
    distances: () => indices(read.length).map((i) => Math.sqrt(squared[i] ?? Number.NaN)),
    async close() {
      await blocks.close()
      rows.release()
    },
  }
}

/** Of a rule that ends as weights: the sum of the updates that have one. @throws not-finite naming whose update is not */
export function weightedPass(
  updates: readonly WeightedUpdate[],
  weights: readonly number[],
  { size, length }: { readonly size: number; readonly length: number },
  kernels: Pick<AggregationKernels, 'rows' | 'finite'>,
): Pick<Pass, 'aggregate' | 'close'> {
  const rows = kernels.rows(length, Math.max(1, updates.length), 0)
  const blocks = readBlocks(
    updates.map(({ reader }) => reader),
    size,
    rows,
  )

  function requireFinite(out: Float32Array): void {
    if (kernels.finite(out)) return
    const bad = updates.find((_, i) => !rows.taken[i]?.subarray(0, out.length).every(Number.isFinite))
    if (bad !== undefined) fail('not-finite', `the update of ${bad.organisation} has a value that is NaN or infinite`)
  }

  return {
    async aggregate(out) {
      await blocks.next(() => rows.weightedSum(weights, out))
      requireFinite(out)
    },
    async close() {
      await blocks.close()
      rows.release()
    },
  }
}
