/**
 * Differential privacy of whole organisations: what a training may ask for, the noise that follows from it, and what the
 * records of stages prove. The guarantee is computed from what a stage says it did, never from what was asked for.
 */

import { z } from 'zod'
import { fail } from '../base/errors.ts'
import { type CostOfNoise, curveOf } from '../privacy/dp/cost.ts'
import { planSharedNoise, sharedConcentration } from '../privacy/dp/distributed.ts'
import { concentrationOf, deltaForNoise, type LocalNoise, planLocalNoise, stepsMax } from '../privacy/dp/local.ts'
import { epsilonOfCurve } from '../privacy/dp/rdp.ts'
import { planSkellamNoise, skellamNoiseOf } from '../privacy/dp/skellam.ts'
import type { MaskingPolicy } from '../privacy/masking/plan.ts'
import { centralProblem } from './central-noise.ts'
import { isEncrypted } from './encryption-config.ts'
import { HIDDEN_AMONG_MIN } from './masking-config.ts'
import { CENTRAL_MECHANISM, isSharedMechanism, type Mechanism, MECHANISMS, SKELLAM_MECHANISM } from './mechanisms.ts'
import { INVITED_MAX, type SharingAsked, sharingProblem, survivorsPlanned } from './shared-noise.ts'
import type { StageRecord } from './stages.ts'

/** Below this many organisations their noise together is more than what they have learned. */
export const ORGANISATIONS_ADVISED = 100

/** How far apart the counts of two updates can be, of which one was clipped, over the clip (adaptive-clip.ts). */
export const COUNT_SHARE = 1 / 2
export const CLIP_MIN = 1e-6
export const CLIP_MAX = 1e6

export const organisationPrivacySchema = z.strictObject({
  /** Protected is all that an organisation has: its update hardly tells whether its data were quite others. */
  unit: z.literal('organisation'),
  /** Who adds the noise, and so against whom the guarantee holds (mechanisms.ts). */
  mechanism: z.enum(MECHANISMS),
  /** Of all rounds of the training together. */
  epsilon: z.number().positive().max(100),
  delta: z.number().positive().max(1e-2),
  /** L2 norm that no update exceeds. */
  clip: z.number().min(CLIP_MIN).max(CLIP_MAX),
  /** Shares are sized for rounds to which at least so many are invited, and others are not opened; absent = participantsMin. */
  invitedMin: z.int().min(HIDDEN_AMONG_MIN).max(INVITED_MAX).exactOptional(),
})

type OrganisationPrivacy = z.infer<typeof organisationPrivacySchema>

interface Asked {
  readonly privacy: { readonly unit: 'example' } | OrganisationPrivacy | null
  readonly rounds: number
  /** Present = whether an update was clipped is released with it (adaptive-clip.ts). */
  readonly clipAdaptive?: object
  readonly masking: MaskingPolicy
  readonly round: { readonly participantsMin: number; readonly participantsMax: number | null }
}

export type OrganisationAsked = Asked &
  Pick<SharingAsked, 'protection' | 'robust'> & { readonly clipNorm: number | null }

/** Why this cannot be done; undefined if it can. @throws invalid-request, not-available, which are reasons too */
export function organisationProblem(asked: OrganisationAsked): string | undefined {
  if (asked.clipNorm !== null) return 'privacy.clip is the clip: clipNorm must be null'
  if (isShared(asked)) return sharingProblem(asked) ?? planned(asked)
  if (asked.privacy?.unit === 'organisation' && asked.privacy.invitedMin !== undefined)
    return 'privacy.invitedMin is what shares are sized for: it takes a distributed mechanism'
  if (isCentral(asked.privacy)) return centralProblem(asked) ?? planned(asked)
  if (asked.privacy?.unit === 'organisation' && isEncrypted(asked.protection))
    return `protection "${asked.protection}" has room for updates within the clip and would cut off most of the noise: it takes "secagg"`
  return planned(asked)
}

function planned(asked: Asked): undefined {
  noiseOf(asked)
}

/** Whether each organisation adds a share of the noise only. */
export function isShared<A extends Pick<Asked, 'privacy'>>(
  asked: A,
): asked is A & { readonly privacy: OrganisationPrivacy } {
  return asked.privacy?.unit === 'organisation' && isSharedMechanism(asked.privacy.mechanism)
}

/** Whether the hub adds the noise. */
export function isCentral(privacy: Asked['privacy']): boolean {
  return privacy?.unit === 'organisation' && privacy.mechanism === CENTRAL_MECHANISM
}

/** What is added to an update, or, by the hub, to the sum of them. */
export interface UpdateNoise extends LocalNoise {
  readonly mechanism: Mechanism
  /** Of a share: honest organisations whose shares are in the sum at least; null = it is all the noise. */
  readonly survivorsMin: number | null
}

/** The noise of each update, or of their sum; null unless whole organisations are protected. */
export function noiseOf(asked: Asked): UpdateNoise | null {
  const { privacy, rounds } = asked
  if (privacy?.unit !== 'organisation') return null
  const target = { ...privacy, rounds, besides: asked.clipAdaptive === undefined ? 0 : privacy.clip * COUNT_SHARE }
  const { mechanism } = privacy
  if (!isShared(asked)) return { ...planLocalNoise(target), mechanism, survivorsMin: null }
  const plan = mechanism === SKELLAM_MECHANISM ? planSkellamNoise : planSharedNoise
  return { ...plan(target, survivorsPlanned(asked)), mechanism }
}

/** What one round costs, against whom the mechanism protects. Two sums differ by one update, like two updates. */
export function roundCost({ mechanism, survivorsMin, ...noise }: Omit<UpdateNoise, 'exponent'>): CostOfNoise {
  if (survivorsMin === null) return { kind: 'concentrated', rho: concentrationOf(noise) }
  if (mechanism === SKELLAM_MECHANISM) return { kind: 'skellam', ...skellamNoiseOf({ ...noise, survivorsMin }) }
  return { kind: 'concentrated', rho: sharedConcentration({ ...noise, survivorsMin }) }
}

/** What everybody knows of the coordinates of a contribution, before anything is hidden. */
export interface CoordinateBound {
  readonly normMax: number | null
  /** Noisy updates: whole multiples of clip / levels up to clip, always. */
  readonly grid: { readonly clip: number; readonly levels: number } | null
}

export function coordinateBound(config: Asked & { readonly clipNorm: number | null }): CoordinateBound {
  const [noise, normMax] = [noiseOf(config), clipOf(config)]
  if (noise === null || normMax === null) return { normMax, grid: null }
  const levels = stepsMax(noise, normMax)
  return { normMax, grid: { clip: levels * 2 ** noise.exponent, levels } }
}

/**
 * Norm of the noise, or of all its shares, in the mean of so many updates over the largest norm of one: above 1 the noise is more than anything
 * that an update can say in one round. Null unless whole organisations are protected.
 */
export function noiseOverClip(asked: Asked, parameterCount: number, organisations: number): number | null {
  const noise = noiseOf(asked)
  if (noise === null || asked.privacy?.unit !== 'organisation') return null
  const added = isCentral(asked.privacy) ? 1 : Math.max(1, organisations)
  const deviation = noise.deviation * 2 ** noise.exponent * Math.sqrt(added * parameterCount)
  return deviation / Math.max(1, organisations) / asked.privacy.clip
}

/** Whether a training should be started with a warning: few organisations, or more noise than clip. */
export function isDrownedInNoise(ratio: number | null, organisations: number): boolean {
  return ratio !== null && (organisations < ORGANISATIONS_ADVISED || ratio > 1)
}

/** The clip of whole updates, whichever of the two asks for it. */
export function clipOf({
  privacy,
  clipNorm,
}: Pick<Asked, 'privacy'> & { readonly clipNorm: number | null }): number | null {
  return privacy?.unit === 'organisation' ? privacy.clip : clipNorm
}

export function quantiseRecord({ exponent }: LocalNoise): StageRecord {
  return { stage: 'quantise', applied: true, norm_max: null, parameters: { grid_exponent: exponent } }
}

/**
 * `delta` is the one at which epsilon is stated; deviation and sensitivity are in steps of the grid. Of a share, `survivors`
 * are those that it was sized for.
 */
export function noiseRecord(
  { mechanism, deviation, sensitivity, survivorsMin }: UpdateNoise,
  delta: number,
): StageRecord {
  const added = { unit: 'organisation', mechanism, deviation, sensitivity, delta }
  const parameters = survivorsMin === null ? added : { ...added, survivors: survivorsMin }
  return { stage: 'noise', applied: true, norm_max: null, parameters }
}

/** Epsilon of so many updates with this record, or of so many sums of updates with such shares. @throws invalid-request */
export function organisationEpsilon(parameters: NonNullable<StageRecord['parameters']>, rounds: number): number {
  const { mechanism, deviation, sensitivity, delta, survivors } = parameters
  if (typeof deviation !== 'number' || typeof sensitivity !== 'number')
    fail('invalid-request', 'the record of the noise stage does not say what was added')
  if (typeof delta !== 'number') fail('invalid-request', 'the record of the noise stage has no delta')
  const survivorsMin = isSharedMechanism(mechanism) ? Number(survivors) : null
  const cost = roundCost({ mechanism: mechanism as Mechanism, deviation, sensitivity, survivorsMin })
  const curve = curveOf(cost).map((value) => rounds * value)
  return epsilonOfCurve(curve, deltaForNoise(delta))
}
