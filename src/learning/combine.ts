/** Which way the updates of a round become one: their weighted mean, or what a robust rule takes for it. */

import type { AggregationKernels } from '../models/kernels/kernels.ts'
import { type MaskedSumSource, maskedMean } from './masked-mean.ts'
import type { RobustConfig } from './robust/config.ts'
import {
  chunkLength,
  coordinatePass,
  measureDistances,
  ROBUST_CHUNK_ELEMENTS,
  weightedChunk,
  weightedPass,
} from './robust/passes.ts'
import { stepReader, withoutStep } from './robust/direction.ts'
import { type Plan, planFromDistances, planWithoutDistances } from './robust/plan.ts'
import { flaggedOf, type RobustReport } from './robust/report.ts'
import { indices } from './robust/rule.ts'
import { usesDistances } from './robust/rules/rules.ts'
import { parameterCount, type TensorReader } from './tensor-reader.ts'
import { type Combiner, type WeightedUpdate, weightedSum } from './weighted-sum.ts'

export interface Combination {
  readonly base: TensorReader
  /** The model before: base - previous is the direction that updates are compared with. */
  readonly previous: TensorReader | null
  /** Absent: the mean. */
  readonly robust?: RobustConfig
  /** Draws the buckets of a robust rule, e.g. the training's seed and the round. */
  readonly seed?: string
  readonly kernels: AggregationKernels
  /** Takes the place of single updates. */
  readonly masked?: MaskedSumSource
  /** Coordinates at a time; has no influence on the result. */
  readonly chunkElements?: number
}

/** The weights of the mean are the sample counts, whose sum is `total`. */
export async function combinerOf(
  job: Combination,
  updates: readonly WeightedUpdate[],
  total: number,
): Promise<Combiner<RobustReport | undefined>> {
  const size = parameterCount(job.base.header)
  if (job.masked !== undefined) return maskedMean(job.masked, size, job.chunkElements)
  const common = { size, kernels: job.kernels, chunkElements: job.chunkElements }
  if (job.robust === undefined || job.robust.rule === 'none')
    return weightedSum({ ...common, updates, weights: updates.map(({ sampleCount }) => sampleCount), total })
  const rule = job.robust.rule
  const { plan, against } = await robustPlan(job, job.robust, updates)
  const readers = updates.map(({ reader }) => reader)
  if (plan.kind === 'weights') {
    const { weights, leftOut, clipped, remoteness } = plan
    const used = indices(updates.length).filter((i) => weights[i] !== 0)
    const length = chunkLength(size, job.chunkElements ?? weightedChunk(used.length))
    const pass = weightedPass(
      used.map((i) => updates[i] as WeightedUpdate),
      used.map((i) => weights[i] as number),
      { size, length },
      job.kernels,
    )
    const report = (): RobustReport => ({ rule, leftOut, clipped, flagged: flaggedOf(remoteness), ...against })
    return { countMax: length, combine: (_, delta) => pass.aggregate(delta), report, close: () => pass.close() }
  }
  const length = chunkLength(size, job.chunkElements ?? ROBUST_CHUNK_ELEMENTS)
  const pass = coordinatePass(plan, readers, { size, length }, job.kernels)
  const { leftOut, remoteness } = plan
  return {
    countMax: length,
    combine: (_, delta) => pass.aggregate(delta),
    report: () => ({ rule, leftOut, clipped: [], flagged: flaggedOf(remoteness ?? pass.distances()), ...against }),
    close: () => pass.close(),
  }
}

interface Planned {
  readonly plan: Plan
  /** Not there where no direction was measured. */
  readonly against?: Pick<RobustReport, 'against'>
}

async function robustPlan(
  job: Combination,
  config: RobustConfig,
  updates: readonly WeightedUpdate[],
): Promise<Planned> {
  const input = { config, sampleCounts: updates.map(({ sampleCount }) => sampleCount), seed: job.seed ?? '' }
  if (config.mixing === 'none' && !usesDistances(config)) return { plan: planWithoutDistances(input) }
  const readers = updates.map(({ reader }) => reader)
  const size = parameterCount(job.base.header)
  const chunk = job.chunkElements ?? ROBUST_CHUNK_ELEMENTS
  if (job.previous === null)
    return { plan: planFromDistances(await measureDistances(readers, size, chunk, job.kernels), input) }
  const all = [...readers, stepReader(job.base, job.previous)]
  const { squared, against } = withoutStep(await measureDistances(all, size, chunk, job.kernels), readers.length)
  return { plan: planFromDistances(squared, input), against: { against } }
}
