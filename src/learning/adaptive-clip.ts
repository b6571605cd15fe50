/**
 * The clip follows the updates: Andrew, Thakkar, McMahan and Ramaswamy 2021, "Differentially Private Learning with Adaptive
 * Clipping", Algorithm 1. After each round C <- C exp(-rate (b - quantile)), b being the share of updates that were not
 * clipped, so that C comes to lie where `quantile` of them are not.
 *
 * Whether an update was clipped travels as one more coordinate of it, +C/4 or -C/4: it is clipped, cut to the grid, given
 * noise, masked and summed with the others, and nobody sees more of it than of them. Its sensitivity is C/2 beside the 2C of
 * the update, sqrt(1 + 1/16) = 1.031 times as much together: Theorem 1 of the paper, with the deviation of the count tied to
 * that of the update. Without noise it is a heuristic, and the hub learns the share exactly.
 *
 * The hub says what the share was, as it says what the model is: no participant can compute either by itself. What each
 * checks is that the clip of a round follows from the block that sealed its base model. A hub that lies about the share
 * moves the clip by a factor of exp(rate) a round at most; noise follows the clip, so that costs accuracy, not privacy.
 */

import { z } from 'zod'
import type { Block } from '../ledger/block.ts'
import type { TrainingConfig } from './config.ts'
import { CLIP_MAX, CLIP_MIN, clipOf, COUNT_SHARE } from './organisation-privacy.ts'
import type { StageRecord } from './stages.ts'

export const clipAdaptiveSchema = z.strictObject({
  /** Clip of the first round of the training. */
  from: z.number().min(CLIP_MIN).max(CLIP_MAX),
  /** Share of updates that are not to be clipped. */
  quantile: z.number().gt(0).lt(1).default(0.5),
  /** eta_C of the paper. */
  rate: z.number().gt(0).max(1).default(0.2),
})
export type ClipAdaptive = z.infer<typeof clipAdaptiveSchema>

type Asked = Parameters<typeof clipOf>[0] & {
  readonly clipAdaptive?: ClipAdaptive
  readonly clipPer?: 'update' | 'layer'
  readonly protection: string
}

/** Why this cannot be done; undefined if it can. */
export function adaptiveProblem(asked: Asked): string | undefined {
  const { clipAdaptive, clipPer, protection } = asked
  if (clipAdaptive === undefined) return undefined
  if (clipOf(asked) === null)
    return 'clipAdaptive moves a clip, and nothing is clipped: it takes clipNorm, or privacy of unit "organisation"'
  if (clipPer === 'layer') return 'one share says nothing of several tensors: clipAdaptive takes clipPer "update"'
  if (protection !== 'plain' && protection !== 'secagg')
    return `a vector under protection "${protection}" has no room for one more coordinate: clipAdaptive takes "secagg" or "plain"`
  return undefined
}

/** Coordinates that a vector has beside those of the update. */
export const countLength = ({ clipAdaptive }: Pick<Asked, 'clipAdaptive'>): number =>
  clipAdaptive === undefined ? 0 : 1

/** The coordinate that says whether an update of this norm was clipped. */
export function countOf(norm: number, clip: number): number {
  return (norm <= clip ? 1 : -1) * (COUNT_SHARE / 2) * clip
}

/** The share of updates that were not clipped, from the mean of these coordinates; what noise or a liar adds ends at 0 and 1. */
export function unclippedShare(mean: number, clip: number): number {
  return Math.min(1, Math.max(0, mean / (COUNT_SHARE * clip) + 1 / 2))
}

/** Where updates are not hidden: the mean of what organisations declare, of which none counts for more than it can be. */
export function declaredShare(
  declared: readonly (number | undefined)[],
  clip: number,
  noisyMax: number | null,
): number | undefined {
  const bound = noisyMax ?? (COUNT_SHARE / 2) * clip
  const counts = declared.filter((count) => count !== undefined && Number.isFinite(count)) as number[]
  if (counts.length === 0) return undefined
  const sum = counts.reduce((total, count) => total + Math.min(bound, Math.max(-bound, count)), 0)
  return unclippedShare(sum / counts.length, clip)
}

/** Algorithm 1, line 12 of its server. */
export function nextClip(clip: number, unclipped: number, { quantile, rate }: Omit<ClipAdaptive, 'from'>): number {
  return Math.min(CLIP_MAX, Math.max(CLIP_MIN, clip * Math.exp(-rate * (unclipped - quantile))))
}

/** The configuration of a round of this clip; absent = of the first. */
export function withClip(config: TrainingConfig, clip = config.clipAdaptive?.from): TrainingConfig {
  if (clip === undefined || config.clipAdaptive === undefined) return config
  const { privacy } = config
  return privacy?.unit === 'organisation' ? { ...config, privacy: { ...privacy, clip } } : { ...config, clipNorm: clip }
}

/** exp differs in its last bits between machines. */
const TOLERANCE = 1e-9

/**
 * Why the clip of an announced round does not follow from the block that sealed the model that it starts from; undefined if
 * it does. The first round of a training starts from a block of no round of it.
 */
export function clipFault(config: TrainingConfig, trainingId: string, sealed: Block): string | undefined {
  const { clipAdaptive } = config
  const clip = clipOf(config)
  if (clipAdaptive === undefined || clip === null) return undefined
  const expected = clipAfter(clipAdaptive, trainingId, sealed)
  if (expected === undefined) return 'the block before does not say how many updates were not clipped'
  if (Math.abs(clip / expected - 1) <= TOLERANCE) return undefined
  return `the clip is ${clip}, and by the block before it is ${expected}`
}

function clipAfter(adaptive: ClipAdaptive, trainingId: string, sealed: Block): number | undefined {
  const { provenance, aggregation_metrics: metrics } = sealed
  if (provenance.training_id !== trainingId || metrics.round === 0) return adaptive.from
  const { stages = [] } = provenance.privacy_params as unknown as { readonly stages?: readonly StageRecord[] }
  const before = stages.find(({ stage, applied }) => stage === 'clip' && applied)?.norm_max
  const { unclipped } = metrics
  if (typeof before !== 'number' || typeof unclipped !== 'number' || !(unclipped >= 0 && unclipped <= 1))
    return undefined
  return nextClip(before, unclipped, adaptive)
}
