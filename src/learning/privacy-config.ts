/**
 * Differential privacy of a training: what may be asked for, what the records of stages say, and what they prove. The unit
 * is a whole organisation (organisation-privacy.ts) or a single training row (example-privacy.ts). The guarantee is
 * computed from what a stage says it did, never from what was asked for.
 */

import { z } from 'zod'
import { EntenteError, fail } from '../base/errors.ts'
import {
  type ExampleAsked,
  type ExamplePlan,
  examplePlan,
  examplePrivacySchema,
  exampleEpsilon,
  exampleProblem,
  exampleRecord,
  EXAMPLE_MECHANISM,
  mechanismOf,
} from './example-privacy.ts'
import { againstAllButHub } from './central-noise.ts'
import { CENTRAL_MECHANISM, isSharedMechanism, LOCAL_MECHANISM } from './mechanisms.ts'
import {
  noiseOf,
  noiseRecord,
  type OrganisationAsked,
  organisationEpsilon,
  organisationPrivacySchema,
  organisationProblem,
  quantiseRecord,
} from './organisation-privacy.ts'
import { type Against, againstWhom } from './shared-noise.ts'
import type { StageName, StageRecord } from './stages.ts'

export const privacySchema = z.discriminatedUnion('unit', [organisationPrivacySchema, examplePrivacySchema]).nullable()
export type PrivacyConfig = z.infer<typeof privacySchema>

export interface PrivacyAsked extends Omit<ExampleAsked, 'privacy'>, Omit<OrganisationAsked, 'privacy'> {
  readonly privacy: PrivacyConfig
}

/** Why this cannot be done; undefined if it can. */
export function privacyProblem(asked: PrivacyAsked): string | undefined {
  try {
    if (asked.privacy?.unit === 'organisation') return organisationProblem(asked)
    if (asked.privacy === null) return undefined
    const problem = exampleProblem({ ...asked, privacy: asked.privacy })
    if (problem === undefined) examplePlan({ ...asked, privacy: asked.privacy })
    return problem
  } catch (error) {
    if (error instanceof EntenteError) return error.message
    throw error
  }
}

/** Of rows: what each round of local training does; null for any other unit. */
export function examplePlanOf(
  asked: Omit<ExampleAsked, 'privacy'> & { readonly privacy: PrivacyConfig },
): ExamplePlan | null {
  const { privacy } = asked
  return privacy?.unit === 'example' ? examplePlan({ ...asked, privacy }) : null
}

/** Records of the stages that privacy decides about, as every contribution of the round must say them. */
export function privacyRecords(asked: PrivacyAsked): Partial<Record<StageName, StageRecord>> {
  const { privacy } = asked
  if (privacy === null) return {}
  if (privacy.unit === 'example')
    return { noise: exampleRecord(mechanismOf(examplePlan({ ...asked, privacy })), privacy) }
  const noise = noiseOf(asked)
  return noise === null ? {} : { quantise: quantiseRecord(noise), noise: noiseRecord(noise, privacy.delta) }
}

export interface Guarantee {
  readonly epsilon: number
  readonly delta: number
  readonly unit: 'organisation' | 'example'
  /** L2 norm that bounds what the noise hides: of an update, or of the gradient of a row. */
  readonly clip: number | null
  /** Absent = against everybody but the organisation itself. */
  readonly against?: Against | 'all-but-hub'
}

/** Four digits after the point, upwards, so that hub and participants write the same number. */
const roundUp = (epsilon: number): number => Math.ceil(epsilon * 1e4) / 1e4

/**
 * What these stages prove for an organisation that went through them in so many rounds; null if they add no noise, or a
 * share of it that nothing hides. @throws invalid-request for records that do not go together
 */
export function guaranteeOf(stages: readonly StageRecord[], rounds: number): Guarantee | null {
  const noise = stages.find(({ stage, applied }) => stage === 'noise' && applied)
  if (noise === undefined || rounds < 1) return null
  const { parameters = {} } = noise
  const delta = Number(parameters['delta'])
  const clipped = stages.find(({ stage, applied }) => stage === 'clip' && applied)?.norm_max ?? null
  if (parameters['unit'] === 'organisation') {
    const against = trusting(stages, parameters)
    if (against === null) return null
    const epsilon = roundUp(organisationEpsilon(parameters, rounds))
    return { epsilon, delta, unit: 'organisation', clip: clipped, ...against }
  }
  if (parameters['mechanism'] !== EXAMPLE_MECHANISM)
    fail('invalid-request', 'the record of the noise stage does not say what was added')
  const clip = typeof parameters['clip'] === 'number' ? parameters['clip'] : null
  return { epsilon: roundUp(exampleEpsilon(parameters, rounds)), delta, unit: 'example', clip }
}

/** What the guarantee of whole organisations rests on besides their own noise; null if it is not there. @throws invalid-request */
function trusting(
  stages: readonly StageRecord[],
  { mechanism, survivors }: NonNullable<StageRecord['parameters']>,
): Pick<Guarantee, 'against'> | null {
  if (mechanism === LOCAL_MECHANISM) return {}
  if (!isSharedMechanism(mechanism) && mechanism !== CENTRAL_MECHANISM)
    fail('invalid-request', 'the record of the noise stage names a mechanism that is not known')
  const against = mechanism === CENTRAL_MECHANISM ? againstAllButHub(stages) : againstWhom(stages, Number(survivors))
  return against === null ? null : { against }
}
