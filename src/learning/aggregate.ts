/**
 * The aggregation of a round, streamed: for each chunk of coordinates, the weighted mean of all updates or what a robust
 * rule takes for it, then the strategy's step. Memory holds one chunk of each role and eight of updates (for a robust rule
 * one of each), never a whole update.
 *
 * 1. The same inputs give the same bytes, whatever the chunk size and the order of arrival: updates are added in the
 *    order of their organisations, in float64, and norms are summed over fixed blocks.
 * 2. Nothing that is not finite reaches the model: it is refused as `not-finite`, and what was written so far is
 *    the caller's to discard.
 */

import { fail } from '../base/errors.ts'
import { encodeHeader, sameLayout } from '../models/formats/safetensors.ts'
import type { Accumulator } from '../models/kernels/accumulator.ts'
import type { AggregationKernels } from '../models/kernels/kernels.ts'
import {
  allocateChunk,
  type ChunkSinks,
  type ChunkSources,
  firstOf,
  readChunk,
  writeChunk,
} from './aggregation-chunk.ts'
import type { StrategyConfig } from './config.ts'
import { type AggregationNorms, createNormSums } from './norms.ts'
import { chunkLength, coordinatePass, measureDistances, ROBUST_CHUNK_ELEMENTS } from './robust/passes.ts'
import { type Plan, planFromDistances, planWithoutDistances } from './robust/plan.ts'
import type { RobustConfig } from './robust/config.ts'
import { flaggedOf, type RobustReport } from './robust/report.ts'
import { usesDistances } from './robust/rules/rules.ts'
import { checkSampleCount } from './sample-count.ts'
import { checkState, stateHeader } from './strategy-state.ts'
import { STRATEGIES } from './strategies/strategies.ts'
import type { Strategy } from './strategies/strategy.ts'
import { type Filled, parameterCount, type RangeRead, ranges, readAhead, type TensorReader } from './tensor-reader.ts'

export interface WeightedUpdate {
  readonly organisation: string
  /** Validated by validate-update.ts, or at least of the layout of `base`. */
  readonly reader: TensorReader
  readonly sampleCount: number
}

/**
 * `base` is w_old; `previous` is w_prev, null in the first round; `state` is as the round before wrote it, null in the
 * first round and for strategies without one. `writeModel` takes the next bytes of the new model's file, `writeState`
 * those of the strategy's state, if it has one; the bytes are overwritten once the promise has resolved.
 */
export interface Aggregation extends ChunkSources, ChunkSinks {
  readonly updates: readonly WeightedUpdate[]
  readonly strategy: StrategyConfig
  /** Absent: the mean. */
  readonly robust?: RobustConfig
  /** Draws the buckets of a robust rule, e.g. the training's seed and the round. */
  readonly seed?: string
  readonly sampleCountMax: number
  /** Written into the model's metadata, e.g. `v1.3-round-3`. */
  readonly version: string
  readonly kernels: AggregationKernels
  /** Coordinates at a time; has no influence on the result. */
  readonly chunkElements?: number
}

/** 1 MB of float32: smaller pieces cost a hop through the thread pool each, larger ones leave the caches. Measured by `npm run bench`. */
export const CHUNK_ELEMENTS = 1 << 18
/** Updates that are read, and then added, together. */
const READS_AT_ONCE = 4

/** What is known of a finished aggregation; `robust` unless it was a mean. */
export interface AggregationOutcome extends AggregationNorms {
  readonly robust?: RobustReport
}

/** @throws nothing-to-aggregate, sample-count-invalid, wrong-shape, model-invalid, not-finite, blob-truncated */
export async function aggregate(job: Aggregation): Promise<AggregationOutcome> {
  const strategy = STRATEGIES[job.strategy.name]
  const updates = job.updates.toSorted((a, b) => (a.organisation < b.organisation ? -1 : 1))
  const total = totalWeight(updates, job.sampleCountMax)
  checkLayouts(job, strategy)
  const combiner = await combinerOf(job, updates, total)
  try {
    await writeHeaders(job, strategy)
    const norms = await streamChunks(job, strategy, combiner)
    const robust = combiner.report()
    return robust === undefined ? norms : { ...norms, robust }
  } finally {
    await combiner.close()
  }
}

/** What becomes of the updates: chunk after chunk, in order. */
interface Combiner {
  /** Coordinates at a time. */
  readonly countMax: number
  combine(start: number, delta: Float32Array): Promise<void>
  report(): RobustReport | undefined
  close(): Promise<void>
}

async function combinerOf(job: Aggregation, updates: readonly WeightedUpdate[], total: number): Promise<Combiner> {
  const size = parameterCount(job.base.header)
  if (job.robust === undefined || job.robust.rule === 'none')
    return weightedSum(
      job,
      updates,
      updates.map(({ sampleCount }) => sampleCount),
      total,
    )
  const rule = job.robust.rule
  const plan = await robustPlan(job, job.robust, updates)
  if (plan.kind === 'weights') {
    const { weights, leftOut, clipped, remoteness } = plan
    const used = weights.flatMap((weight, i) => (weight === 0 ? [] : i))
    const sum = weightedSum(
      job,
      used.map((i) => updates[i] as WeightedUpdate),
      used.map((i) => weights[i] as number),
      1,
    )
    return { ...sum, report: () => ({ rule, leftOut, clipped, flagged: flaggedOf(remoteness) }) }
  }
  const countMax = chunkLength(size, job.chunkElements ?? ROBUST_CHUNK_ELEMENTS)
  const pass = coordinatePass(
    plan,
    updates.map(({ reader }) => reader),
    countMax,
    job.kernels,
  )
  const { leftOut, remoteness } = plan
  return {
    countMax,
    combine: (start, delta) => pass.aggregate(start, delta),
    report: () => ({ rule, leftOut, clipped: [], flagged: flaggedOf(remoteness ?? pass.distances()) }),
    close: async () => undefined,
  }
}

async function robustPlan(job: Aggregation, config: RobustConfig, updates: readonly WeightedUpdate[]): Promise<Plan> {
  const input = { config, sampleCounts: updates.map(({ sampleCount }) => sampleCount), seed: job.seed ?? '' }
  if (config.mixing === 'none' && !usesDistances(config)) return planWithoutDistances(input)
  const readers = updates.map(({ reader }) => reader)
  const size = parameterCount(job.base.header)
  const squared = await measureDistances(readers, size, job.chunkElements ?? ROBUST_CHUNK_ELEMENTS, job.kernels)
  return planFromDistances(squared, input)
}

/** @throws nothing-to-aggregate, sample-count-invalid */
function totalWeight(updates: readonly WeightedUpdate[], sampleCountMax: number): number {
  if (updates.every(({ sampleCount }) => sampleCount === 0))
    fail('nothing-to-aggregate', 'the total weight of the round is zero')
  for (const { sampleCount } of updates) checkSampleCount(sampleCount, sampleCountMax)
  return updates.reduce((total, { sampleCount }) => total + sampleCount, 0)
}

function checkLayouts({ base, previous, state, updates }: Aggregation, strategy: Strategy): void {
  for (const { organisation, reader } of updates)
    if (!sameLayout(reader.header, base.header))
      fail('wrong-shape', `the update of ${organisation} does not have the layout of the model`)
  if (previous !== null && !sameLayout(previous.header, base.header))
    fail('wrong-shape', 'the previous model does not have the layout of the model')
  if (state !== null) checkState(state, base.header, strategy)
}

async function writeHeaders({ base, version, writeModel, writeState }: Aggregation, strategy: Strategy): Promise<void> {
  await writeModel(encodeHeader(base.header.tensors, { ...base.header.metadata, version }))
  if (strategy.stateNames.length > 0) await writeState(stateHeader(base.header, strategy))
}

async function streamChunks(job: Aggregation, strategy: Strategy, combiner: Combiner): Promise<AggregationNorms> {
  const size = parameterCount(job.base.header)
  const buffers = allocateChunk(combiner.countMax, strategy, job)
  const sums = createNormSums()
  for (const { start, count } of ranges(size, combiner.countMax)) {
    const chunk = firstOf(buffers, count)
    await both(readChunk(chunk, job, start, strategy, job.strategy), combiner.combine(start, chunk.delta))
    strategy.apply(chunk, job.strategy)
    if (!job.kernels.finite(chunk.weights)) fail('not-finite', 'the step leaves the range of float32')
    sums.add(chunk.base, chunk.weights, chunk.delta)
    await writeChunk(chunk, job)
  }
  return sums.norms()
}

/** sum(weights * updates) / total. Its chunks have to be asked for in order: the next one is read ahead. */
function weightedSum(
  job: Aggregation,
  updates: readonly WeightedUpdate[],
  weights: readonly number[],
  total: number,
): Combiner {
  const size = parameterCount(job.base.header)
  const countMax = Math.max(1, Math.min(size, job.chunkElements ?? CHUNK_ELEMENTS))
  const sum = job.kernels.accumulator(countMax, 2 * READS_AT_ONCE)
  const halves = [sum.inputs.slice(0, READS_AT_ONCE), sum.inputs.slice(READS_AT_ONCE)] as const
  const incoming = readAhead(updateReads(updates, size, countMax), halves)
  return {
    countMax,
    async combine(_, delta) {
      await addUpdates(sum, updates, weights, incoming)
      sum.mean(total, delta)
    },
    report: () => undefined,
    async close() {
      await incoming.return()
      sum.release()
    },
  }
}

/** Waits for both even if one fails: the caller may close the files next, so nothing may still be reading from them. */
async function both(first: Promise<void>, second: Promise<void>): Promise<void> {
  for (const outcome of await Promise.allSettled([first, second]))
    if (outcome.status === 'rejected') throw outcome.reason
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
  updates: readonly WeightedUpdate[],
  weights: readonly number[],
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
