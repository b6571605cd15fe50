/**
 * How updates are clipped: to one L2 norm for the whole (Abadi et al. 2016, Algorithm 1), or tensor by tensor. Tensor by
 * tensor, each of the m tensors of a model is clipped to S / sqrt(m), so that the whole has at most S (McMahan, Ramage,
 * Talwar and Zhang 2018, "Learning Differentially Private Recurrent Language Models", section 3.2, per-layer clipping). The
 * sensitivity is that of S in both, and so is the noise.
 */

import { z } from 'zod'
import { fail } from '../base/errors.ts'
import type { TensorShape } from '../models/model.ts'
import type { ClipAdaptive } from './adaptive-clip.ts'
import { clipOf } from './organisation-privacy.ts'
import type { StageRecord } from './stages.ts'

/** `layer`: each tensor of the model by itself, within the same norm of the whole. */
export const clipPerSchema = z.enum(['update', 'layer'])

export type ClipAsked = Parameters<typeof clipOf>[0] & {
  readonly clipPer?: z.infer<typeof clipPerSchema>
  readonly clipAdaptive?: ClipAdaptive
}

/** Why this cannot be done; undefined if it can. */
export function clipProblem(asked: ClipAsked): string | undefined {
  if (asked.clipPer === undefined || clipOf(asked) !== null) return undefined
  return 'clipPer says how to clip, and nothing is clipped: it takes clipNorm, or privacy of unit "organisation"'
}

/** What the clip stage says: the norm of the whole, whether it was kept tensor by tensor, and what it is moved towards. */
export function clipRecord(asked: ClipAsked): StageRecord {
  const normMax = clipOf(asked)
  const { clipPer, clipAdaptive } = asked
  const parameters = {
    ...(clipPer === 'layer' ? { per: 'layer' } : {}),
    ...(clipAdaptive === undefined ? {} : { quantile: clipAdaptive.quantile, rate: clipAdaptive.rate }),
  }
  const said = Object.keys(parameters).length === 0 ? {} : { parameters }
  return { stage: 'clip', applied: normMax !== null, norm_max: normMax, ...said }
}

/** The parts that are clipped by themselves, as views of the update. @throws internal without a layout, or with another's */
export function clippedParts(
  update: Float32Array,
  { clipPer }: ClipAsked,
  layout: readonly TensorShape[] | undefined,
): Float32Array[] {
  if (clipPer !== 'layer') return [update]
  let end = 0
  const parts = (layout ?? []).map(({ shape }) => {
    const start = end
    end += shape.reduce((product, n) => product * n, 1)
    return update.subarray(start, end)
  })
  if (parts.length === 0 || end !== update.length) fail('internal', 'the layout of the model is not that of the update')
  return parts
}
