/**
 * Differential privacy of single training rows: DP-SGD inside local training. Adjacent are two sets of training rows of one
 * organisation of which one has one row more, an interaction with the features that were computed for it; the features of
 * all other rows are taken as given. The guarantee is computed from what the trainer says it did.
 */

import { z } from 'zod'
import { fail } from '../base/errors.ts'
import { epsilonOfGroup, epsilonOfSteps, planStepNoise, type StepNoise } from '../privacy/dp/dp-sgd.ts'
import type { SampledGaussian } from '../privacy/dp/rdp.ts'
import type { StageRecord } from './stages.ts'

export const EXAMPLE_MECHANISM = 'dp-sgd'
/** Of all rounds of a training together, unless asked otherwise: half of an organisation's default budget (decision 17). */
export const EPSILON_DEFAULT = 4

export const examplePrivacySchema = z.strictObject({
  unit: z.literal('example'),
  mechanism: z.literal(EXAMPLE_MECHANISM).default(EXAMPLE_MECHANISM),
  /** Of all rounds of the training together. */
  epsilon: z.number().positive().max(100),
  delta: z.number().positive().max(1e-2).default(1e-5),
  /** L2 norm that the gradient of no row exceeds. */
  clip: z.number().min(1e-6).max(1e6).default(1),
  /** Rows of a training that may have the same host as their source. */
  rowsPerHost: z.int().min(1).max(1_000_000).default(256),
})
export type ExamplePrivacy = z.infer<typeof examplePrivacySchema>

/** What of a configuration decides how much noise there is: public, and the same for all organisations. */
export interface ExampleAsked {
  readonly privacy: ExamplePrivacy
  readonly rounds: number
  readonly model: { readonly kind: string }
  readonly local: {
    readonly epochs: number
    readonly batchSize: number
    readonly rowsMax: number
    readonly rowsPerEpoch: number | null
    readonly objective: string
  }
}

/** One round of local training. */
export interface ExamplePlan extends StepNoise {
  readonly steps: number
  /** Each row is in a step with probability samplingThreshold / 2^32. */
  readonly samplingThreshold: number
  readonly clip: number
  readonly rowsPerHost: number
}

/** What a trainer says that it did. */
export interface ExampleMechanism extends SampledGaussian {
  readonly clip: number
}

/** Why this cannot be done; undefined if it can. */
export function exampleProblem({ model, local }: ExampleAsked): string | undefined {
  if (model.kind === 'policy') return 'a response policy learns from a game, not from rows: privacy must be null'
  if (local.objective === 'link')
    return 'links are learned in pairs of rows, which this version cannot protect one by one: privacy must be null'
  if (local.batchSize > local.rowsMax)
    return 'batchSize over rowsMax is the chance of a row to be in a step: it must be at most 1, or privacy null'
  return undefined
}

/** The sampling rate is batchSize / rowsMax, whatever an organisation has: the number of its rows is not public either. */
export function examplePlan({ privacy, rounds, local }: ExampleAsked): ExamplePlan {
  const { epochs, batchSize, rowsMax, rowsPerEpoch } = local
  const steps = Math.ceil((epochs * Math.min(rowsPerEpoch ?? rowsMax, rowsMax)) / batchSize)
  const samplingThreshold = Math.min(2 ** 32, Math.ceil((batchSize / rowsMax) * 2 ** 32))
  const { epsilon, delta, clip, rowsPerHost } = privacy
  const target = { epsilon, delta, samplingRate: samplingThreshold / 2 ** 32, steps: steps * rounds }
  return { ...plannedNoise(target), steps, samplingThreshold, clip, rowsPerHost }
}

const planned = new Map<string, StepNoise>()
const PLANNED_MAX = 64

/** A search of some 20 ms for what hub and organisations ask at every contribution. */
function plannedNoise(target: Parameters<typeof planStepNoise>[0]): StepNoise {
  const key = JSON.stringify(Object.values(target))
  const known = planned.get(key)
  if (known !== undefined) return known
  const noise = planStepNoise(target)
  if (planned.size >= PLANNED_MAX) planned.clear()
  planned.set(key, noise)
  return noise
}

export function mechanismOf({ samplingThreshold, deviation, clipSteps, clip, steps }: ExamplePlan): ExampleMechanism {
  return { samplingRate: samplingThreshold / 2 ** 32, noiseMultiplier: deviation / clipSteps, clip, steps }
}

/** What the noise stage says of a round: what was done, the delta that epsilon is stated at, and the bound for a host. */
export function exampleRecord(mechanism: ExampleMechanism, { delta, rowsPerHost }: ExamplePrivacy): StageRecord {
  const { samplingRate, noiseMultiplier, clip, steps } = mechanism
  const done = { sampling_rate: samplingRate, noise_multiplier: noiseMultiplier, steps, clip }
  const parameters = { unit: 'example', mechanism: EXAMPLE_MECHANISM, ...done, delta, rows_per_host: rowsPerHost }
  return { stage: 'noise', applied: true, norm_max: null, parameters }
}

type NoiseParameters = NonNullable<StageRecord['parameters']>

/** What so many rounds with this record did. @throws invalid-request */
export function exampleMechanism(parameters: NoiseParameters, rounds: number): SampledGaussian {
  const { sampling_rate: samplingRate, noise_multiplier: noiseMultiplier, steps } = parameters
  if (typeof samplingRate !== 'number' || typeof noiseMultiplier !== 'number' || typeof steps !== 'number')
    fail('invalid-request', 'the record of the noise stage does not say what was added')
  return { samplingRate, noiseMultiplier, steps: steps * rounds }
}

/** Epsilon of so many rounds with this record, of one row or of several together. @throws invalid-request */
export function exampleEpsilon(parameters: NoiseParameters, rounds: number, rows = 1): number {
  const mechanism = exampleMechanism(parameters, rounds)
  const { delta } = parameters
  if (typeof delta !== 'number') fail('invalid-request', 'the record of the noise stage has no delta')
  return rows === 1 ? epsilonOfSteps(mechanism, delta) : epsilonOfGroup(mechanism, rows, delta)
}
