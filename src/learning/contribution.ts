/**
 * From a trained update to what leaves the organisation. Four of the stages are seams: they pass the update through and
 * their record says `applied: false`, in the contribution and in the block, so that nobody believes them to be on.
 */

import { fail } from '../base/errors.ts'
import type { AggregationKernels } from '../models/kernels/kernels.ts'
import type { TrainingConfig } from './config.ts'
import type { StageName, StageRecord } from './stages.ts'

export interface StageResult {
  readonly update: Float32Array
  readonly applied: StageRecord
}

export interface Contribution {
  /** w_local - w_base as it leaves the organisation, in layout order. */
  readonly update: Float32Array
  readonly stages: readonly StageRecord[]
}

export interface ContributionOptions {
  readonly config: TrainingConfig
  /** Of the model. */
  readonly parameterCount: number
  readonly kernels: Pick<AggregationKernels, 'finite' | 'squaredNorm'>
}

/**
 * Turns an update into a contribution; the update itself is left as it is.
 * @throws wrong-shape, not-finite
 */
export function prepareContribution(update: Float32Array, options: ContributionOptions): Contribution {
  const sanitised = sanitise(update, options)
  const clipped = clip(sanitised.update, options)
  const quantised = quantise(clipped.update)
  const noised = noise(quantised.update)
  const masked = mask(noised.update)
  const encrypted = encrypt(masked.update)
  const stages = [sanitised, clipped, quantised, noised, masked, encrypted].map(({ applied }) => applied)
  return { update: encrypted.update, stages }
}

/** An update is numbers of the model's shape and nothing else; one that diverged stays at home. @throws wrong-shape, not-finite */
export function sanitise(update: Float32Array, { parameterCount, kernels }: ContributionOptions): StageResult {
  if (update.length !== parameterCount)
    fail('wrong-shape', `the update has ${update.length} values, the model ${parameterCount}`)
  if (!kernels.finite(update)) fail('not-finite', 'local training gave a value that is NaN or infinite')
  return { update, applied: { stage: 'sanitise', applied: true, norm_max: null } }
}

/**
 * Scales the update to an L2 norm of at most clipNorm (Abadi et al. 2016, Algorithm 1, for a whole update). The bound
 * holds after rounding to float32 too: whoever accounts for privacy later relies on it.
 */
export function clip(update: Float32Array, { config, kernels }: ContributionOptions): StageResult {
  const { clipNorm } = config
  const applied: StageRecord = { stage: 'clip', applied: clipNorm !== null, norm_max: clipNorm }
  const norm = Math.sqrt(kernels.squaredNorm(update))
  if (clipNorm === null || norm <= clipNorm) return { update, applied }
  const scale = (clipNorm / norm) * (1 - 2 ** -22)
  return { update: update.map((value) => value * scale), applied }
}

/** Integers for secure aggregation: not offered by this version. */
export function quantise(update: Float32Array): StageResult {
  return passThrough('quantise', update)
}

/** Differential privacy: not offered by this version. */
export function noise(update: Float32Array): StageResult {
  return passThrough('noise', update)
}

/** Pairwise masks of secure aggregation: not offered by this version. */
export function mask(update: Float32Array): StageResult {
  return passThrough('mask', update)
}

/** Homomorphic encryption: not offered by this version. The connection to the hub is encrypted, the hub sees the update. */
export function encrypt(update: Float32Array): StageResult {
  return passThrough('encrypt', update)
}

function passThrough(stage: StageName, update: Float32Array): StageResult {
  return { update, applied: { stage, applied: false, norm_max: null } }
}
