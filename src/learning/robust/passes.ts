/**
 * The two passes of a robust aggregation over the files of a round. Both hold one block of coordinates of all updates, so
 * memory depends on the number of organisations and not on the length of the model.
 *
 * 1. The same updates give the same bits, whatever the size of the blocks: coordinates are independent of each other, and
 *    squares are summed over fixed groups of 256, to which every block is rounded.
 */

import type { AggregationKernels } from '../../models/kernels/kernels.ts'
import type { Rows } from '../../models/kernels/rows.ts'
import { ranges, readValues, type TensorReader } from '../tensor-reader.ts'
import { selectingNetwork, sortingNetwork } from './network.ts'
import type { Plan } from './plan.ts'
import { indices } from './rule.ts'

/** Coordinates whose squares the kernels sum together. */
const GROUP = 256
/** 7 MB for a hundred organisations: what was just read is still in the caches. Smaller reads cost a hop each. */
export const ROBUST_CHUNK_ELEMENTS = 1 << 14

export function chunkLength(size: number, wanted: number): number {
  return Math.ceil(Math.max(1, Math.min(size, wanted)) / GROUP) * GROUP
}

/** First pass: squared distances of all updates and, last, of the origin: row-major, only i < j has meaning. */
export async function measureDistances(
  updates: readonly TensorReader[],
  size: number,
  chunkElements: number,
  kernels: Pick<AggregationKernels, 'rows'>,
): Promise<Float64Array> {
  const length = chunkLength(size, chunkElements)
  const rows = kernels.rows(length, updates.length + 1, 0)
  const squared = new Float64Array((updates.length + 1) ** 2)
  try {
    for (const { start, count } of ranges(size, length)) {
      await readRows(updates, start, count, rows)
      rows.addPairDistances(count, squared)
    }
    return squared
  } finally {
    rows.release()
  }
}

/** All at once; settled only when no read is under way any more, since the caller may close the files next. */
async function readRows(updates: readonly TensorReader[], start: number, count: number, rows: Rows): Promise<void> {
  const reads = updates.map((reader, i) =>
    readValues(reader, start, (rows.inputs[i] as Float32Array).subarray(0, count)),
  )
  for (const outcome of await Promise.allSettled(reads)) if (outcome.status === 'rejected') throw outcome.reason
}

export interface CoordinatePass {
  /** Puts the statistic of the coordinates from `start` on into `out`. */
  aggregate(start: number, out: Float32Array): Promise<void>
  /** Distance of each update that was read to the aggregate; only for a plan that reads them unmixed. */
  distances(): number[]
  /** Gives the memory back. */
  close(): void
}

/** Second pass of a rule over coordinates. @param length - as {@link chunkLength} gives it */
export function coordinatePass(
  plan: Extract<Plan, { kind: 'coordinates' }>,
  updates: readonly TensorReader[],
  length: number,
  kernels: Pick<AggregationKernels, 'rows'>,
): CoordinatePass {
  const { statistic, mixing, sources } = plan
  const read = sources.map((i) => updates[i]).filter((reader) => reader !== undefined)
  const made = mixing === null ? read.length : mixing.length / read.length
  const rows = kernels.rows(length, read.length, mixing === null ? 0 : made)
  const network =
    statistic.name === 'window-mean' ? sortingNetwork(made) : selectingNetwork(made, statistic.from, statistic.to)
  const squared = new Float64Array(read.length)

  async function aggregate(start: number, out: Float32Array): Promise<void> {
    await readRows(read, start, out.length, rows)
    rows.mix(mixing)
    if (statistic.name === 'window-mean') rows.windowMean(network, statistic.keep, out)
    else rows.sortedMean(network, statistic.from, statistic.to, out)
    if (plan.remoteness === null) rows.addDistancesToMean(out.length, squared)
  }

  return {
    aggregate,
    distances: () => indices(read.length).map((i) => Math.sqrt(squared[i] ?? Number.NaN)),
    close: () => rows.release(),
  }
}
