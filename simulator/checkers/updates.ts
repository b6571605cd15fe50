/** What organisations' own disks say that they trained, and what its sum must be. */

import type { OrganisationId } from '../../src/base/ids.ts'
import { localSeed } from '../../src/learning/participant-moves.ts'
import type { TrainingConfig } from '../../src/learning/config.ts'
import { CENTRAL_MECHANISM } from '../../src/learning/mechanisms.ts'
import type { OpenedRound } from '../../src/learning/round-state.ts'
import { gather, supportOf } from '../../src/learning/sparsify.ts'
import type { StageRecord } from '../../src/learning/stages.ts'
import type { Block } from '../../src/ledger/block.ts'
import { decodeSafetensors } from '../../src/models/formats/safetensors.ts'
import { drawMax } from '../../src/privacy/dp/local.ts'
import { signedIntegers, type Scale } from '../../src/privacy/masking/quantise.ts'
import { quantiseFor, roundingKey } from '../../src/privacy/masking/vector.ts'
import { type Run, stateOf } from '../run.ts'

interface Trained {
  readonly update: { readonly digest: string; readonly size: number }
  readonly sampleCount: number
  /** One more coordinate, where the clip follows the updates. */
  readonly count?: number
}

/** The event in which an organisation's node stored what it trained; undefined if it did not. */
export function trainedBy(run: Run, organisation: OrganisationId, roundId: string): Trained | undefined {
  const node = run.organisations.find(({ name }) => name === organisation)
  const events = node?.tables.streams.get(`participant/${roundId}`)?.events ?? []
  const trained = events.map(({ event }) => event as { type: string }).findLast(({ type }) => type === 'trained')
  return trained as Trained | undefined
}

/** All values of a file, in the order of its tensors' names. */
export function flatValues(bytes: Uint8Array): Float32Array {
  const { tensors } = decodeSafetensors(bytes)
  const sorted = [...tensors].toSorted(([a], [b]) => (a < b ? -1 : 1))
  const values = new Float32Array(sorted.reduce((sum, [, tensor]) => sum + tensor.values.length, 0))
  let at = 0
  for (const [, tensor] of sorted) {
    values.set(tensor.values, at)
    at += tensor.values.length
  }
  return values
}

const parametersOf = (block: Block, stage: string) =>
  (block.provenance.privacy_params as unknown as { stages: readonly StageRecord[] }).stages.find(
    (record) => record.stage === stage,
  )?.parameters ?? {}

/** On which grid a block says that its updates were summed; undefined if they were not hidden. */
export function gridOf(block: Block): Scale | undefined {
  if (parametersOf(block, 'mask')['protocol'] === undefined) return undefined
  const { bits, levels, value_max: clip, weight_max: weightMax } = parametersOf(block, 'quantise')
  return { width: bits, levels, clip, weightMax } as unknown as Scale
}

/**
 * The exact sum, on a grid, of what these participants of a block hold in the clear on their own disks: what the hub must
 * have found without seeing any of it.
 */
export function sumOfHidden(
  run: Run,
  { provenance, aggregation_metrics: { round } }: Block,
  grid: Scale,
  organisations: readonly OrganisationId[],
): { readonly sum: Float64Array; readonly totalWeight: number } | undefined {
  const config = provenance.training_config as unknown as TrainingConfig
  let sum: Float64Array | undefined
  let totalWeight = 0
  for (const organisation of organisations) {
    const trained = trainedBy(run, organisation, provenance.round_id)
    const node = run.organisations.find(({ name }) => name === organisation)
    const file = node?.blobs.get(trained?.update.digest as never)
    if (trained === undefined || file === undefined) return undefined
    const whole = flatValues(file)
    const support = supportOf(config, round, whole.length)
    const update = withCount(support === null ? whole : gather(support, whole), trained.count)
    const rounding = roundingKey(`${localSeed(config, round, organisation)}/rounding`)
    const order = { length: update.length, weight: trained.sampleCount, scale: grid, rounding, masks: [] }
    const integers = signedIntegers(quantiseFor(order, update).words, grid.width)
    sum = sum === undefined ? integers : sum.map((value, i) => value + (integers[i] ?? 0))
    totalWeight += trained.sampleCount
  }
  return sum === undefined ? undefined : { sum, totalWeight }
}

function withCount(values: Float32Array, count: number | undefined): Float32Array {
  return count === undefined ? values : Float32Array.of(...values, count)
}

/** The mean of all participants of a block. */
export function meanOfHidden(run: Run, block: Block, grid: Scale): Float32Array | undefined {
  const names = block.provenance.participants.map(({ org_id }) => org_id)
  const hidden = sumOfHidden(run, block, grid, names)
  if (hidden === undefined) return undefined
  const factor = (grid.clip / grid.levels) * (grid.weightMax / hidden.totalWeight)
  const sum = withHubNoise(run, block, hidden.sum)
  if (sum === undefined) return undefined
  const means = Float32Array.from(sum, (value) => value * factor)
  return scattered(run, block, names, means)
}

/** What the hub has left of the sum: the sum itself, or, where it adds noise, no further from it than noise can be. */
function withHubNoise(run: Run, block: Block, sum: Float64Array): Float64Array | undefined {
  const { mechanism, deviation } = parametersOf(block, 'noise')
  if (mechanism !== CENTRAL_MECHANISM) return sum
  const { masked = [] } = stateOf(run.hub, `round/${block.provenance.round_id}`) as OpenedRound
  const [only] = masked
  const stored = only && run.hub.blobs.get(only.sum)
  if (stored === undefined) return undefined
  const found = signedIntegers(stored, only?.facts.width ?? 32)
  const near = found.every((value, i) => Math.abs(value - (sum[i] ?? Number.NaN)) <= drawMax(Number(deviation)))
  return near && found.length === sum.length ? found : undefined
}

/** Of a round with coordinates of its own, the whole: nothing elsewhere. */
function scattered(
  run: Run,
  { provenance, aggregation_metrics: { round } }: Block,
  [first]: readonly OrganisationId[],
  means: Float32Array,
): Float32Array | undefined {
  if (first === undefined) return means
  const trained = trainedBy(run, first, provenance.round_id)
  const file = run.organisations.find(({ name }) => name === first)?.blobs.get(trained?.update.digest as never)
  if (file === undefined) return undefined
  const whole = new Float32Array(flatValues(file).length)
  const support = supportOf(provenance.training_config as unknown as TrainingConfig, round, whole.length)
  if (support === null) return means
  for (const [i, coordinate] of support.entries()) whole[coordinate] = means[i] ?? 0
  return whole
}
