/**
 * From a trained update to what leaves the organisation. A stage that this training does not use passes the update through
 * and its record says `applied: false`, in the contribution and in the block, so that nobody believes it to be on.
 */

import { fail } from '../base/errors.ts'
import type { AggregationKernels } from '../models/kernels/kernels.ts'
import type { TensorShape } from '../models/model.ts'
import { addNoise, fromGrid, toGrid } from '../privacy/dp/grid.ts'
import type { TrainingConfig } from './config.ts'
import { type ExampleMechanism, exampleRecord } from './example-privacy.ts'
import { countLength, countOf } from './adaptive-clip.ts'
import { clippedParts, clipRecord } from './clipping.ts'
import { clipOf, isCentral, noiseOf, noiseRecord, quantiseRecord, type UpdateNoise } from './organisation-privacy.ts'
import { restrictTo, sparsify, sparsifyRecord, supportOf } from './sparsify.ts'
import type { StageName, StageRecord } from './stages.ts'

export interface StageResult {
  readonly update: Float32Array
  readonly applied: StageRecord
}

export interface Contribution {
  /** w_local - w_base as it leaves the organisation, in layout order. */
  readonly update: Float32Array
  readonly stages: readonly StageRecord[]
  /** What stays behind for the next round; null unless the training keeps it. */
  readonly residual: Float32Array | null
  /** The coordinate beside the update that says whether it was clipped, with its noise; absent unless the clip follows it. */
  readonly count?: number
}

export interface ContributionOptions {
  readonly config: TrainingConfig
  /** Of the model. */
  readonly parameterCount: number
  /** Of the training: it draws the part that leaves, where one is drawn. */
  readonly round?: number
  /** What earlier rounds left behind. */
  readonly residual?: Float32Array | null
  /** Of the model; needed where tensors are clipped one by one. */
  readonly layout?: readonly TensorShape[]
  readonly kernels: Pick<AggregationKernels, 'finite' | 'squaredNorm'>
  /** Draws that a training with privacy needs: discrete Gaussians of this whole deviation, independent, from a secure source. */
  readonly drawNoise?: (deviation: number, out: Int32Array) => void
  /** What the trainer did for the privacy of single rows. */
  readonly mechanism?: ExampleMechanism | undefined
}

/**
 * Turns an update into a contribution; the update itself is left as it is.
 * @throws wrong-shape, not-finite; internal if noise is asked for and there is nothing to draw it from, or none was added
 */
export function prepareContribution(update: Float32Array, options: ContributionOptions): Contribution {
  const sanitised = sanitise(update, options)
  const sparse = sparsified(sanitised.update, options)
  const clipped = clip(sparse.update, options)
  const plan = noiseOf(options.config)
  const quantised = quantise(withCount(sparse.update, clipped.update, options), plan)
  const noised = noise(quantised.update, plan, options)
  const masked = mask(onSupport(noised.update.slice(0, options.parameterCount), options))
  const encrypted = encrypt(masked.update)
  const stages = [sanitised, clipped, quantised, noised, masked, encrypted].map(({ applied }) => applied)
  const [first, ...rest] = stages
  const [count] = noised.update.subarray(options.parameterCount)
  return {
    update: encrypted.update,
    stages: first === undefined ? [] : [first, ...sparse.records, ...rest],
    residual: sparse.residual,
    ...(count === undefined ? {} : { count }),
  }
}

/** Before the clip: what earlier rounds left behind makes no update longer. @throws not-finite if the sum is too large */
function sparsified(update: Float32Array, { config, round = 1, residual = null, kernels }: ContributionOptions) {
  const sparse = sparsify(update, residual, config, round)
  const { residual: left } = sparse
  if (!kernels.finite(sparse.update) || (left !== null && !kernels.finite(left)))
    fail('not-finite', 'with what was left behind the update is infinite')
  return { ...sparse, records: config.sparsify ? [sparsifyRecord(config.sparsify)] : [] }
}

/** Noise elsewhere than on the round's coordinates says nothing: which those are, everybody knows. */
function onSupport(update: Float32Array, { config, round = 1 }: ContributionOptions): Float32Array {
  const support = supportOf(config, round, update.length)
  return support === null ? update : restrictTo(support, update)
}

/** An update is numbers of the model's shape and nothing else; one that diverged stays at home. @throws wrong-shape, not-finite */
export function sanitise(update: Float32Array, { parameterCount, kernels }: ContributionOptions): StageResult {
  if (update.length !== parameterCount)
    fail('wrong-shape', `the update has ${update.length} values, the model ${parameterCount}`)
  if (!kernels.finite(update)) fail('not-finite', 'local training gave a value that is NaN or infinite')
  return { update, applied: { stage: 'sanitise', applied: true, norm_max: null } }
}

/**
 * Scales the update, or each of its tensors, so that its L2 norm is at most clipNorm (clipping.ts). The bound
 * holds after rounding to float32 too: whoever accounts for privacy later relies on it.
 */
export function clip(update: Float32Array, { config, kernels, layout }: ContributionOptions): StageResult {
  const [clipNorm, applied] = [clipOf(config), clipRecord(config)]
  if (clipNorm === null) return { update, applied }
  const clipped = update.slice()
  const parts = clippedParts(clipped, config, layout)
  for (const part of parts) clipTo(part, clipNorm / Math.sqrt(parts.length), kernels)
  return { update: clipped, applied }
}

/** The clipped update, with one more coordinate where the clip follows how many were not clipped. */
function withCount(
  before: Float32Array,
  clipped: Float32Array,
  { config, kernels }: ContributionOptions,
): Float32Array {
  const clipNorm = clipOf(config)
  if (countLength(config) === 0 || clipNorm === null) return clipped
  const all = new Float32Array(clipped.length + 1)
  all.set(clipped)
  all[clipped.length] = countOf(Math.sqrt(kernels.squaredNorm(before)), clipNorm)
  return all
}

function clipTo(values: Float32Array, normMax: number, kernels: ContributionOptions['kernels']): void {
  const norm = Math.sqrt(kernels.squaredNorm(values))
  if (norm <= normMax) return
  const scale = (normMax / norm) * (1 - 2 ** -22)
  for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) * scale
}

/** Whole steps of a grid, towards zero, which lets no norm grow: noise is added to integers only (Mironov 2012). */
export function quantise(update: Float32Array, plan: UpdateNoise | null): StageResult {
  if (plan === null) return passThrough('quantise', update)
  const { exponent } = plan
  return { update: fromGrid(toGrid(update, exponent), exponent), applied: quantiseRecord(plan) }
}

/** Noise on the integers, of the law that the plan names (privacy/dp/table.ts). The record says what was really drawn. */
export function noise(
  update: Float32Array,
  plan: UpdateNoise | null,
  { config, drawNoise, mechanism }: ContributionOptions,
): StageResult {
  if (config.privacy?.unit === 'example') {
    // It was added step by step in training, and nothing is added here: the record is the trainer's word.
    if (mechanism === undefined) fail('internal', 'this training asks for private steps, and there were none')
    return { update, applied: exampleRecord(mechanism, config.privacy) }
  }
  if (plan === null || config.privacy === null) return passThrough('noise', update)
  // The hub will add it to the sum: this record is what the organisation expects, and the block's is what the hub did.
  if (isCentral(config.privacy)) return { update, applied: noiseRecord(plan, config.privacy.delta) }
  if (drawNoise === undefined) fail('internal', 'this training asks for noise, and there is none to draw')
  const grid = toGrid(update, plan.exponent)
  const drawn = new Int32Array(grid.length)
  drawNoise(plan.deviation, drawn)
  addNoise(grid, drawn)
  drawn.fill(0)
  return { update: fromGrid(grid, plan.exponent), applied: noiseRecord(plan, config.privacy.delta) }
}

/**
 * Masks are added where the update is read for the last time (src/node/masking), once the round knows its members, and the
 * record is completed then (`maskedStages`).
 */
export function mask(update: Float32Array): StageResult {
  return passThrough('mask', update)
}

/** Likewise (src/node/homomorphic, `encryptedStages`). */
export function encrypt(update: Float32Array): StageResult {
  return passThrough('encrypt', update)
}

function passThrough(stage: StageName, update: Float32Array): StageResult {
  return { update, applied: { stage, applied: false, norm_max: null } }
}
