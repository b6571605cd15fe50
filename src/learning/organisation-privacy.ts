/**
 * Differential privacy of whole organisations: what a training may ask for, the noise that follows from it, and what the
 * records of stages prove. The guarantee is computed from what a stage says it did, never from what was asked for.
 */

import { z } from 'zod'
import { fail } from '../base/errors.ts'
import { concentrationOf, deltaForNoise, type LocalNoise, planLocalNoise } from '../privacy/dp/local.ts'
import { concentratedCurve, epsilonOfCurve } from '../privacy/dp/rdp.ts'
import type { StageRecord } from './stages.ts'

export const MECHANISM = 'local-discrete-gaussian'

/** Below this many organisations their noise together is more than what they have learned. */
export const ORGANISATIONS_ADVISED = 100

export const organisationPrivacySchema = z.strictObject({
  /** Protected is all that an organisation has: its update hardly tells whether its data were quite others. */
  unit: z.literal('organisation'),
  /** Each organisation adds the noise itself: the guarantee holds against the hub and everybody else. */
  mechanism: z.literal(MECHANISM),
  /** Of all rounds of the training together. */
  epsilon: z.number().positive().max(100),
  delta: z.number().positive().max(1e-2),
  /** L2 norm that no update exceeds. */
  clip: z.number().min(1e-6).max(1e6),
})

interface Asked {
  readonly privacy: { readonly unit: 'example' } | z.infer<typeof organisationPrivacySchema> | null
  readonly rounds: number
}

/** Why this cannot be done; undefined if it can. @throws invalid-request, not-available, which are reasons too */
export function organisationProblem(asked: Asked & { readonly clipNorm: number | null }): string | undefined {
  if (asked.clipNorm !== null) return 'privacy.clip is the clip: clipNorm must be null'
  noiseOf(asked)
  return undefined
}

/** The noise of each update of a training; null unless whole organisations are protected. */
export function noiseOf({ privacy, rounds }: Asked): LocalNoise | null {
  return privacy?.unit === 'organisation' ? planLocalNoise({ ...privacy, rounds }) : null
}

/**
 * Norm of the noise in the mean of so many updates over the largest norm of one: above 1 the noise is more than anything
 * that an update can say in one round. Null unless whole organisations are protected.
 */
export function noiseOverClip(asked: Asked, parameterCount: number, organisations: number): number | null {
  const noise = noiseOf(asked)
  if (noise === null || asked.privacy?.unit !== 'organisation') return null
  const deviation = noise.deviation * 2 ** noise.exponent
  return (deviation * Math.sqrt(parameterCount / Math.max(1, organisations))) / asked.privacy.clip
}

/** Whether a training should be started with a warning: few organisations, or more noise than clip. */
export function isDrownedInNoise(ratio: number | null, organisations: number): boolean {
  return ratio !== null && (organisations < ORGANISATIONS_ADVISED || ratio > 1)
}

/** The clip of whole updates, whichever of the two asks for it. */
export function clipOf({ privacy, clipNorm }: Asked & { readonly clipNorm: number | null }): number | null {
  return privacy?.unit === 'organisation' ? privacy.clip : clipNorm
}

export function quantiseRecord({ exponent }: LocalNoise): StageRecord {
  return { stage: 'quantise', applied: true, norm_max: null, parameters: { grid_exponent: exponent } }
}

/** `delta` is the one at which epsilon is stated; deviation and sensitivity are in steps of the grid. */
export function noiseRecord({ deviation, sensitivity }: LocalNoise, delta: number): StageRecord {
  const parameters = { unit: 'organisation', mechanism: MECHANISM, deviation, sensitivity, delta }
  return { stage: 'noise', applied: true, norm_max: null, parameters }
}

/** Epsilon of so many updates with this record. @throws invalid-request */
export function organisationEpsilon(parameters: NonNullable<StageRecord['parameters']>, rounds: number): number {
  const { deviation, sensitivity, delta } = parameters
  if (typeof deviation !== 'number' || typeof sensitivity !== 'number')
    fail('invalid-request', 'the record of the noise stage does not say what was added')
  if (typeof delta !== 'number') fail('invalid-request', 'the record of the noise stage has no delta')
  const rho = rounds * concentrationOf({ deviation, sensitivity })
  return epsilonOfCurve(concentratedCurve(rho), deltaForNoise(delta))
}
