/** Weighted sums of updates, chunk by chunk: while four of them are added in one pass, the next four are being read. */

import { fail } from '../base/errors.ts'
import type { Accumulator } from '../models/kernels/accumulator.ts'
import type { AggregationKernels } from '../models/kernels/kernels.ts'
import { type Filled, type RangeRead, ranges, readAhead, type TensorReader } from './tensor-reader.ts'

export interface WeightedUpdate {
  readonly organisation: string
  /** Validated by validate-update.ts, or at least of the layout of `base`. */
  readonly reader: TensorReader
  readonly sampleCount: number
}

/** What becomes of the updates: chunk after chunk, in order. */
export interface Combiner<Report = undefined> {
  /** Coordinates at a time. */
  readonly countMax: number
  combine(start: number, delta: Float32Array): Promise<void>
  report(): Report
  close(): Promise<void>
}

/** 1 MB of float32: smaller pieces cost a hop through the thread pool each, larger ones leave the caches. Measured by `npm run bench`. */
export const CHUNK_ELEMENTS = 1 << 18
/** Updates that are read, and then added, together. */
const READS_AT_ONCE = 4

export interface WeightedSum {
  readonly updates: readonly WeightedUpdate[]
  /** One for each update. */
  readonly weights: readonly number[]
  readonly total: number
  /** Values of an update. */
  readonly size: number
  readonly chunkElements: number | undefined
  readonly kernels: AggregationKernels
}

/** sum(weights * updates) / total. Its chunks have to be asked for in order: the next one is read ahead. */
export function weightedSum(job: WeightedSum): Combiner {
  const { updates, size, total } = job
  const countMax = Math.max(1, Math.min(size, job.chunkElements ?? CHUNK_ELEMENTS))
  const sum = job.kernels.accumulator(countMax, 2 * READS_AT_ONCE)
  const halves = [sum.inputs.slice(0, READS_AT_ONCE), sum.inputs.slice(READS_AT_ONCE)] as const
  const incoming = readAhead(updateReads(updates, size, countMax), halves)
  return {
    countMax,
    async combine(_, delta) {
      await addUpdates(sum, job, incoming)
      sum.mean(total, delta)
    },
    report: () => undefined,
    async close() {
      await incoming.return()
      sum.release()
    },
  }
}

/** Every update of the first chunk, then every update of the next: one sequence, so that reading never pauses. */
function* updateReads(
  updates: readonly WeightedUpdate[],
  size: number,
  countMax: number,
): Generator<readonly RangeRead[]> {
  for (const { start, count } of ranges(size, countMax))
    for (let first = 0; first < updates.length; first += READS_AT_ONCE)
      yield updates.slice(first, first + READS_AT_ONCE).map(({ reader }) => ({ reader, start, count }))
}

/** sum = sum_i n_i * delta_i over the next chunk of `incoming`, in the order of `updates`. */
async function addUpdates(
  sum: Accumulator,
  { updates, weights }: WeightedSum,
  incoming: AsyncGenerator<Filled, void, undefined>,
): Promise<void> {
  sum.reset()
  // The halves of the inputs take turns, from the first chunk of all to the last.
  for (let first = 0; first < updates.length; first += READS_AT_ONCE) {
    const { value } = await incoming.next()
    if (value === undefined) fail('internal', 'fewer chunks than updates')
    const some = weights.slice(first, first + READS_AT_ONCE)
    const bad = sum.add(inputOf(sum, value), some, value.group[0]?.count ?? 0)
    if (bad >= 0)
      fail('not-finite', `the update of ${updates[first + bad]?.organisation} has a value that is NaN or infinite`)
  }
}

/** Number of the input that a group begins at. */
function inputOf(sum: Accumulator, { values }: Filled): number {
  return sum.inputs.findIndex(({ byteOffset }) => byteOffset === values[0]?.byteOffset)
}
