/**
 * Noise of whole organisations in shares: no update has enough of it, and only the sum of secure aggregation does. So what
 * is promised rests on what the sum is of: who may ask for it, whom a participant joins, and what the records of stages must
 * say together before an epsilon is stated. The adversary is the hub with as many organisations as the masks withstand, who
 * know their own shares and can take them away.
 */

import { fail } from '../base/errors.ts'
import { tableShare } from '../privacy/dp/local.ts'
import { honestSurvivors, honestSurvivorsFrom, type MaskingPolicy } from '../privacy/masking/plan.ts'
import type { StageRecord } from './stages.ts'

/** No block names more. */
export const INVITED_MAX = 150

/** What of a configuration decides how large a share is. */
export interface Sharing {
  readonly privacy: { readonly delta: number; readonly invitedMin?: number | undefined }
  readonly masking: MaskingPolicy
  readonly round: { readonly participantsMin: number; readonly participantsMax: number | null }
}

export interface SharingAsked extends Sharing {
  readonly protection: string
  readonly robust: { readonly rule: string }
  readonly rounds: number
}

/** Why noise cannot be shared in such a training; undefined if it can. */
export function sharingProblem(asked: SharingAsked): string | undefined {
  const { protection, robust, masking, rounds, privacy, round } = asked
  if (protection === 'plain' || protection === 'ckks')
    return `a share of the noise does not protect an update that can be seen by itself, as with protection "${protection}": it takes "secagg"`
  if (protection !== 'secagg')
    return `protection "${protection}" rounds and cuts off what noise was added to, so the sum would not have the noise that is accounted for: it takes "secagg"`
  if (robust.rule !== 'none')
    return `the rule ${robust.rule} sees sums of buckets, and all who are corrupt may be in the bucket of one honest organisation: noise can be shared without a rule only`
  if (graphDelta(masking) * rounds > tableShare(privacy.delta) / 2)
    return 'the masks fail more often than so small a delta allows: raise masking.failureBits or delta'
  if (invitedMin(asked) > (round.participantsMax ?? INVITED_MAX))
    return 'shares are sized for more than round.participantsMax: privacy.invitedMin is at most that'
  return undefined
}

/** Chance of a round that its masks let a sum of fewer be read: counted in delta, for graphs that are complete too. */
export function graphDelta({ failureBits }: MaskingPolicy): number {
  return 2 ** -failureBits
}

/** Organisations that a round is opened with at least. */
export function invitedMin({ privacy, round }: Pick<Sharing, 'privacy' | 'round'>): number {
  return Math.max(privacy.invitedMin ?? 0, round.participantsMin)
}

/** Honest survivors that shares are sized for: what a round to which so many are invited, or more, can end with. */
export function survivorsPlanned(asked: Sharing): number {
  return honestSurvivorsFrom(invitedMin(asked), asked.masking)
}

/** Why a round of so many is not joined: a hub that invites fewer than agreed would read a sum with too little noise. */
export function tooFewToShare(config: Sharing, invited: number): string | undefined {
  const planned = survivorsPlanned(config)
  if (honestSurvivors(invited, config.masking) >= planned) return undefined
  return `noise is shared among ${planned} honest survivors at least, and ${invited} are too few for that`
}

/** Against whom a guarantee of shares holds: the hub in league with `corruptMax` of the `invited`. */
export interface Against {
  readonly corruptMax: number
  readonly invited: number
}

/**
 * What the records of masking add to those of noise. Null where nothing was masked: a share by itself promises nothing.
 * @throws invalid-request where fewer honest organisations are in the sum than shares were sized for, or the sum is not of
 * the very integers that noise was added to
 */
export function againstWhom(stages: readonly StageRecord[], survivors: number): Against | null {
  const { quorum, corrupt_max: corruptMax, invited } = parametersOf(stages, 'mask')
  if (typeof quorum !== 'number' || typeof corruptMax !== 'number' || typeof invited !== 'number') return null
  if (!(quorum - corruptMax >= survivors))
    fail(
      'invalid-request',
      `shares are sized for ${survivors} honest survivors, and masks leave ${quorum - corruptMax}`,
    )
  requireOwnGrid(stages)
  return { corruptMax, invited }
}

function parametersOf(stages: readonly StageRecord[], stage: string): NonNullable<StageRecord['parameters']> {
  return stages.find((record) => record.stage === stage && record.applied)?.parameters ?? {}
}

/** The sum is of the integers that noise is measured in, each of weight 1. @throws invalid-request */
export function requireOwnGrid(stages: readonly StageRecord[]): void {
  const {
    grid_exponent: exponent,
    levels,
    value_max: valueMax,
    weight_max: weightMax,
  } = parametersOf(stages, 'quantise')
  if (weightMax !== 1 || Number(valueMax) / Number(levels) !== 2 ** Number(exponent))
    fail('invalid-request', 'the sum was not made of the integers that noise was added to')
}
