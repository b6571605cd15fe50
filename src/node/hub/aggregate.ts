/** The effect `aggregate`: updates from blobs, in chunks, to the blob of the next model and of the strategy's state. */

import { EntenteError } from '../../base/errors.ts'
import type { Digest } from '../../base/ids.ts'
import { countLength, declaredShare, unclippedShare } from '../../learning/adaptive-clip.ts'
import { type AggregationOutcome, aggregate } from '../../learning/aggregate.ts'
import { modelVersion } from '../../learning/block-content.ts'
import { type MaskedSumSource, meanReader } from '../../learning/masked-mean.ts'
import { clipOf, coordinateBound } from '../../learning/organisation-privacy.ts'
import type { RobustReport } from '../../learning/robust/report.ts'
import type { MaskedSum, RoundEffect, RoundEvent } from '../../learning/round-state.ts'
import { weightMaxOf } from '../../learning/sample-count.ts'
import { supportOf } from '../../learning/sparsify.ts'
import { parameterCount, type TensorReader } from '../../learning/tensor-reader.ts'
import { dequantiseMean } from '../../privacy/masking/quantise.ts'
import type { Kernels } from '../../models/kernels/kernels.ts'
import type { BlobReader, Blobs, BlobWriter } from '../ports.ts'
import { openBlobTensors } from '../tensors.ts'
import type { HubContext } from './identity.ts'
import { withRobustKernels } from './robust-kernels.ts'

type AggregateEffect = Extract<RoundEffect, { type: 'aggregate' }>

/** The round's next event: `aggregated`, or `aggregation-failed` where trying again cannot help. */
export async function aggregateRound(context: HubContext, effect: AggregateEffect): Promise<RoundEvent> {
  const { clock } = context.ports
  const startedAt = clock.now()
  try {
    const result = await withInputs(context.ports.blobs, effect, (inputs) =>
      withRobustKernels(
        context.options,
        { robust: effect.config.robust, base: inputs.base, updates: inputs.updates.length },
        (kernels) => writeOutputs(context, effect, { ...inputs, kernels }),
      ),
    )
    const at = clock.now()
    const robust = result.robust && withBuckets(effect, result.robust)
    return {
      type: 'aggregated',
      ...result,
      ...(robust === undefined ? {} : { robust }),
      ...(await unclippedOf(context.ports.blobs, effect)),
      durationMs: at - startedAt,
      at,
    }
  } catch (error) {
    if (!(error instanceof EntenteError) || error.retryable) throw error
    return { type: 'aggregation-failed', code: error.code, message: error.message, at: clock.now() }
  }
}

/** The share of updates that were not clipped, where the next clip follows from it. */
async function unclippedOf(blobs: Blobs, effect: AggregateEffect): Promise<{ unclipped?: number }> {
  const { config, masked, contributions } = effect
  const clip = clipOf(config)
  if (countLength(config) === 0 || clip === null) return {}
  if (masked !== undefined) return { unclipped: unclippedShare(await meanCount(blobs, masked), clip) }
  const declared = contributions.map(({ metrics }) => metrics['count'])
  // Nobody says so: the clip stays.
  const share = declaredShare(declared, clip, coordinateBound(config).grid?.clip ?? null)
  return { unclipped: share ?? config.clipAdaptive?.quantile ?? 0 }
}

/** The last coordinate of each sum; buckets weigh what their members do. */
async function meanCount(blobs: Blobs, masked: readonly MaskedSum[]): Promise<number> {
  let [sum, weight] = [0, 0]
  for (const { sum: digest, facts } of masked) {
    const file = await blobs.open(digest)
    try {
      const { totalWeight, scale, read } = sourceOf(facts, file, null)
      const word = new Uint8Array(scale.width / 8)
      await read((facts.length - 1) * word.length, word)
      sum += totalWeight * (dequantiseMean(word, totalWeight, scale)[0] ?? 0)
      weight += totalWeight
    } finally {
      await file.close()
    }
  }
  return sum / weight
}

const withBuckets = (effect: AggregateEffect, report: RobustReport): RobustReport =>
  effect.masked === undefined ? report : { ...report, buckets: bucketPositions(effect) }

interface Inputs {
  readonly base: TensorReader
  readonly previous: TensorReader | null
  readonly state: TensorReader | null
  readonly updates: readonly {
    readonly organisation: string
    readonly reader: TensorReader
    readonly sampleCount: number
  }[]
  readonly masked?: MaskedSumSource
}

/** Opens what the aggregation reads, and closes it whatever happens. */
async function withInputs<T>(blobs: Blobs, effect: AggregateEffect, work: (inputs: Inputs) => Promise<T>): Promise<T> {
  const opened: { close(): Promise<void> }[] = []
  async function open(digest: Digest): Promise<TensorReader> {
    const tensors = await openBlobTensors(blobs, digest)
    opened.push(tensors)
    return tensors
  }
  const openIfAny = async (digest: Digest | null): Promise<TensorReader | null> =>
    digest === null ? null : open(digest)
  try {
    const base = await open(effect.baseModel)
    const previous = await openIfAny(effect.previousModel)
    const state = await openIfAny(effect.strategyState)
    if (effect.masked !== undefined) {
      const sources: MaskedSumSource[] = []
      for (const { sum, facts } of effect.masked) {
        const file = await blobs.open(sum)
        opened.push({ close: () => file.close() })
        sources.push(sourceOf(facts, file, supportOf(effect.config, effect.round, parameterCount(base.header))))
      }
      return await work({ base, previous, state, ...hiddenUpdates(effect, sources, base) })
    }
    const updates: Inputs['updates'][number][] = []
    for (const { organisation, update, sampleCount } of effect.contributions)
      updates.push({ organisation, sampleCount, reader: await open(update.digest) })
    return await work({ base, previous, state, updates })
  } finally {
    for (const tensors of opened) await tensors.close()
  }
}

/** One sum is its mean; a robust rule takes the means of several for updates, each of the same weight. */
function hiddenUpdates(
  { config }: AggregateEffect,
  sources: readonly MaskedSumSource[],
  base: TensorReader,
): Pick<Inputs, 'updates' | 'masked'> {
  const [only] = sources
  if (config.robust.rule === 'none' && only !== undefined) return { updates: [], masked: only }
  const updates = sources.map((source, k) => ({
    organisation: `bucket-${String(k).padStart(3, '0')}`,
    reader: meanReader(source, base.header),
    sampleCount: 1,
  }))
  return { updates }
}

/** Of each bucket, the positions of its participants in the block. */
function bucketPositions({ masked = [], contributions }: AggregateEffect): number[][] {
  const names = contributions.map(({ organisation }) => organisation)
  return masked.map(({ facts }) => facts.survivors.map(({ organisation }) => names.indexOf(organisation)))
}

function sourceOf(facts: MaskedSum['facts'], sum: BlobReader, support: Uint32Array | null): MaskedSumSource {
  const totalWeight = facts.survivors.reduce((total, { weight }) => total + weight, 0)
  const read: MaskedSumSource['read'] = (offset, into) => sum.read(offset, into)
  return { scale: facts, totalWeight, read, ...(support === null ? {} : { support }) }
}

type Outputs = AggregationOutcome & { readonly model: Digest; readonly strategyState: Digest | null }

async function writeOutputs(
  { ports, options }: HubContext,
  { config, round }: AggregateEffect,
  inputs: Inputs & { readonly kernels: Kernels },
): Promise<Outputs> {
  const model = await ports.blobs.create()
  /** Made at the first byte: most strategies have no state. */
  let state: BlobWriter | undefined
  try {
    const norms = await aggregate({
      ...inputs,
      strategy: config.strategy,
      robust: config.robust,
      seed: `${config.seed}/${round}`,
      sampleCountMax: weightMaxOf(config),
      version: modelVersion(round),
      writeModel: (chunk) => model.write(chunk),
      async writeState(chunk) {
        state ??= await ports.blobs.create()
        await state.write(chunk)
      },
      ...(options.chunkElements === undefined ? {} : { chunkElements: options.chunkElements }),
    })
    const strategyState = (await state?.commit())?.digest ?? null
    return { ...norms, strategyState, model: (await model.commit()).digest }
  } catch (error) {
    await model.abort()
    await state?.abort()
    throw error
  }
}
