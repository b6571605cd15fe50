/**
 * What a training is told to do. One spelling everywhere: this object is what the API accepts as `config`, what a round
 * announces to its participants and what a block records as `training_config`.
 */

import { z } from 'zod'
import { fail } from '../base/errors.ts'
import { LINKS_MAX, type ModelSpec } from '../models/model.ts'
import {
  HIDDEN_AMONG_MIN,
  maskingSchema,
  type Protection,
  protectionProblem,
  protectionSchema,
} from './masking-config.ts'
import { ENCRYPTED_PHASE_MS, encryptionSchema, isEncrypted } from './encryption-config.ts'
import { adaptiveProblem, clipAdaptiveSchema } from './adaptive-clip.ts'
import { clipPerSchema, clipProblem } from './clipping.ts'
import { EPSILON_DEFAULT } from './example-privacy.ts'
import { INVITED_MAX } from './shared-noise.ts'
import { privacyProblem, privacySchema } from './privacy-config.ts'
import { purposeSchema } from './purpose.ts'
import { robustConfigSchema, robustProblem } from './robust/config.ts'
import { sparsifyProblem, sparsifySchema } from './sparsify.ts'

/** More participants than this would not fit, with their signatures, into one leaf of the ledger (65,535 bytes). */
export const PARTICIPANTS_MAX = INVITED_MAX

const DEFAULT_PROTECTION: Protection = 'secagg'

const positive = z.number().positive().max(1e6)
const fraction = z.number().min(0).lt(1)

const width = z.int().min(1).max(65_536)
const hidden = z.array(width).max(16)

export const modelSpecSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('mlp'), inputs: width, hidden }),
  z.strictObject({
    kind: z.literal('tgnn'),
    features: width,
    pairFeatures: width,
    links: z.int().min(1).max(LINKS_MAX),
    linkFeatures: width.min(2),
    timeDimensions: width,
    width: width.multipleOf(4),
    hidden,
  }),
  z.strictObject({
    kind: z.literal('policy'),
    observations: width,
    actions: width,
    hidden,
    slots: z.enum(['alike', 'apart']).default('alike'),
  }),
])

interface StrategyDefaults {
  readonly serverLearningRate: number
  readonly beta1?: number
}

/** The fields are the same for all, so that a reader of a block need not know which of them a strategy looks at. */
function strategySchema<Name extends string>(name: Name, defaults: StrategyDefaults) {
  return z.strictObject({
    name: z.literal(name),
    /** eta of Reddi et al. 2021, lr of the ledger document. */
    serverLearningRate: positive.default(defaults.serverLearningRate),
    /** FedAvgM. */
    momentum: fraction.default(0.9),
    beta1: fraction.default(defaults.beta1 ?? 0.9),
    beta2: fraction.default(0.99),
    /** Degree of adaptivity, Reddi et al. 2021, Algorithm 2. */
    tau: positive.default(1e-3),
    /** FedProx server step of the ledger document. */
    lambda: z.number().min(0).max(1e3).default(0.1),
  })
}

export const strategyConfigSchema = z.discriminatedUnion('name', [
  strategySchema('fedavg', { serverLearningRate: 1 }),
  strategySchema('fedprox', { serverLearningRate: 1 }),
  strategySchema('fedavgm', { serverLearningRate: 1 }),
  strategySchema('fedadam', { serverLearningRate: 0.03 }),
  strategySchema('fedyogi', { serverLearningRate: 0.03 }),
  // Reddi et al. 2021, section 5: no first moment in the usual Adagrad.
  strategySchema('fedadagrad', { serverLearningRate: 0.1, beta1: 0 }),
])

const localSchema = z.strictObject({
  epochs: z.int().min(1).max(1000).default(1),
  batchSize: z.int().min(1).max(1_000_000).default(1024),
  learningRate: positive.default(3e-3),
  optimiser: z.enum(['adam', 'sgd']).default('adam'),
  /** mu of FedProx (Li et al. 2020): weight of 1/2 ||w - w_global||^2 in the local loss; 0 = off. */
  proximalMu: z.number().min(0).max(1e3).default(0),
  rowsMax: z.int().min(1).max(1_000_000_000).default(50_000),
  /** Rows of these that an epoch visits, others each time; null = all. */
  rowsPerEpoch: z.int().min(1).max(1_000_000_000).nullable().default(null),
  /** What a temporal graph network learns: attacks from labels (who has none learns links), or links everywhere. */
  objective: z.enum(['supervised', 'link']).default('supervised'),
})

const roundSchema = z
  .strictObject({
    participantsMin: z.int().min(1).max(PARTICIPANTS_MAX).default(2),
    /** null = as many as a block can carry. */
    participantsMax: z.int().min(1).max(PARTICIPANTS_MAX).nullable().default(null),
    deadlineMs: z
      .int()
      .min(1)
      .max(30 * 86_400_000)
      .default(600_000),
    sealTimeoutMs: z.int().min(1).max(86_400_000).default(60_000),
    /** The weight that one organisation may claim: a larger declared sample count is refused. */
    sampleCountMax: z.int().min(1).max(1_000_000_000).default(10_000_000),
  })
  .refine((round) => round.participantsMax === null || round.participantsMax >= round.participantsMin, {
    message: 'participantsMax is less than participantsMin',
    path: ['participantsMax'],
  })

const trainingSchema = z.strictObject({
  model: modelSpecSchema,
  strategy: strategyConfigSchema.prefault({ name: 'fedavg' }),
  /** What takes the place of the mean where organisations may lie. */
  robust: robustConfigSchema.prefault({}),
  local: localSchema.prefault({}),
  round: roundSchema.prefault({}),
  /** Who may see a single update. */
  protection: protectionSchema.default(DEFAULT_PROTECTION),
  /** Of secure aggregation, and how long phases wait under encryption too. */
  masking: maskingSchema.prefault({}),
  /** Which key hides updates under `paillier` and `ckks`; null for the others. */
  encryption: encryptionSchema.nullable().default(null),
  /** Largest L2 norm of an update; null = updates are not clipped. */
  clipNorm: positive.nullable().default(null),
  /** Which part of an update leaves; absent or null = all of it. Absent and not null by default: blocks are as they were. */
  sparsify: sparsifySchema.nullable().exactOptional(),
  /** Absent = the whole update by one factor. */
  clipPer: clipPerSchema.exactOptional(),
  /** The clip follows the updates, round by round; absent = it stays. */
  clipAdaptive: clipAdaptiveSchema.exactOptional(),
  /** Differential privacy, of single training rows or of whole organisations; null = none. */
  privacy: privacySchema.default(null),
  /** What it is for, and so which part of a privacy budget pays; absent = `training`. */
  purpose: purposeSchema.exactOptional(),
  seed: z.string().min(1).max(128).default('entente'),
  rounds: z.int().min(1).max(100_000).default(8),
})

export const trainingConfigSchema = trainingSchema.superRefine((config, context) => {
  const { robust, round } = config
  const problem = robustProblem(robust, round.participantsMin)
  if (problem !== undefined) context.addIssue({ code: 'custom', message: problem, path: ['robust'] })
  const unsparse = sparsifyProblem(config)
  if (unsparse !== undefined) context.addIssue({ code: 'custom', message: unsparse, path: ['sparsify'] })
  const unmaskable = protectionProblem(config)
  if (unmaskable !== undefined) context.addIssue({ code: 'custom', message: unmaskable, path: ['protection'] })
  const unclippable = clipProblem(config)
  if (unclippable !== undefined) context.addIssue({ code: 'custom', message: unclippable, path: ['clipPer'] })
  const unmovable = adaptiveProblem(config)
  if (unmovable !== undefined) context.addIssue({ code: 'custom', message: unmovable, path: ['clipAdaptive'] })
  const unprotectable = privacyProblem(config)
  if (unprotectable !== undefined) context.addIssue({ code: 'custom', message: unprotectable, path: ['privacy'] })
})

export type TrainingConfig = z.infer<typeof trainingConfigSchema>
export type StrategyConfig = TrainingConfig['strategy']
export type StrategyName = StrategyConfig['name']

/** mu when FedProx is asked for and none is named: with 0 the local half of FedProx would silently be off. */
const FEDPROX_MU = 0.01

const partialSchema = z.object({
  strategy: z.object({ name: z.string() }).optional(),
  local: z.looseObject({}).optional(),
  round: z.looseObject({}).optional(),
  protection: protectionSchema.optional(),
  masking: z.looseObject({}).optional(),
  model: z.looseObject({ kind: z.string().optional() }).optional(),
  privacy: z.unknown().optional(),
  clipNorm: z.number().nullable().optional(),
  clipAdaptive: z.looseObject({ from: z.number().optional() }).optional(),
})

/** The first clip of one that moves is named once: in `clipAdaptive.from`, `clipNorm` or `privacy.clip`. */
function withFirstClip(value: Record<string, unknown>): Record<string, unknown> {
  const asked = partialSchema.safeParse(value)
  if (!asked.success || asked.data.clipAdaptive === undefined) return value
  const { privacy, clipNorm, clipAdaptive } = asked.data
  const { unit, clip } = z
    .looseObject({ unit: z.unknown(), clip: z.unknown() })
    .catch({ unit: null, clip: null })
    .parse(privacy)
  const isNoisy = unit === 'organisation'
  const from = clipAdaptive.from ?? (isNoisy ? clip : clipNorm)
  return { ...value, clipAdaptive: { ...clipAdaptive, from }, ...(isNoisy ? {} : { clipNorm: clipNorm ?? from }) }
}

/** Defaults that follow from what else is asked for. */
function withDependentDefaults(value: Record<string, unknown>): Record<string, unknown> {
  const asked = partialSchema.safeParse(value)
  if (!asked.success) return value
  const { strategy, local, round, protection = DEFAULT_PROTECTION, masking, model, privacy } = asked.data
  // A policy learns from a game: there is nobody's row to protect.
  const isOfRows = model?.kind !== 'policy'
  return {
    ...value,
    ...(privacy === undefined && isOfRows ? { privacy: { unit: 'example', epsilon: EPSILON_DEFAULT } } : {}),
    ...(strategy?.name === 'fedprox' ? { local: { proximalMu: FEDPROX_MU, ...local } } : {}),
    ...(protection === 'plain' ? {} : { round: { participantsMin: HIDDEN_AMONG_MIN, ...round } }),
    ...(isEncrypted(protection) ? { masking: { phaseMs: ENCRYPTED_PHASE_MS, ...masking } } : {}),
  }
}

/**
 * Parses what an operator or the API was given; what is missing gets its default, `model` the one given here.
 * @throws invalid-request naming the first offending field
 */
export function parseTrainingConfig(value: unknown, model?: ModelSpec): TrainingConfig {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    fail('invalid-request', 'config is not an object')
  const asked = model === undefined ? value : { model, ...value }
  const parsed = trainingConfigSchema.safeParse(withFirstClip(withDependentDefaults({ ...asked })))
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const path = issue?.path.join('.') ?? ''
  fail('invalid-request', `config: ${path}: ${issue?.message ?? 'malformed'}`, { path })
}
