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
import {
  allocateChunk,
  type ChunkSinks,
  type ChunkSources,
  firstOf,
  readChunk,
  writeChunk,
} from './aggregation-chunk.ts'
import { type Combination, combinerOf } from './combine.ts'
import type { StrategyConfig } from './config.ts'
import { type AggregationNorms, createNormSums } from './norms.ts'
import type { RobustReport } from './robust/report.ts'
import { checkSampleCount } from './sample-count.ts'
import { checkState, stateHeader } from './strategy-state.ts'
import { STRATEGIES } from './strategies/strategies.ts'
import type { Strategy } from './strategies/strategy.ts'
import { parameterCount, ranges, type TensorReader } from './tensor-reader.ts'
import type { Combiner, WeightedUpdate } from './weighted-sum.ts'

/**
 * `base` is w_old; `previous` is w_prev, null in the first round; `state` is as the round before wrote it, null in the
 * first round and for strategies without one. `writeModel` takes the next bytes of the new model's file, `writeState`
 * those of the strategy's state, if it has one; the bytes are overwritten once the promise has resolved.
 */
export interface Aggregation extends Combination, ChunkSources, ChunkSinks {
  readonly base: TensorReader
  readonly updates: readonly WeightedUpdate[]
  readonly strategy: StrategyConfig
  readonly sampleCountMax: number
  /** Written into the model's metadata, e.g. `v1.3-round-3`. */
  readonly version: string
}

/** What is known of a finished aggregation; `robust` unless it was a mean. */
export interface AggregationOutcome extends AggregationNorms {
  readonly robust?: RobustReport
}

/** @throws nothing-to-aggregate, sample-count-invalid, wrong-shape, model-invalid, not-finite, blob-truncated */
export async function aggregate(job: Aggregation): Promise<AggregationOutcome> {
  const strategy = STRATEGIES[job.strategy.name]
  const updates = job.updates.toSorted((a, b) => (a.organisation < b.organisation ? -1 : 1))
  const total = job.masked?.totalWeight ?? totalWeight(updates, job.sampleCountMax)
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

async function streamChunks(
  job: Aggregation,
  strategy: Strategy,
  combiner: Combiner<unknown>,
): Promise<AggregationNorms> {
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

/** Waits for both even if one fails: the caller may close the files next, so nothing may still be reading from them. */
async function both(first: Promise<void>, second: Promise<void>): Promise<void> {
  for (const outcome of await Promise.allSettled([first, second]))
    if (outcome.status === 'rejected') throw outcome.reason
}
