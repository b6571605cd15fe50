/**
 * How a training's updates are kept from the hub: what may be asked for, the context of a round of secure aggregation that
 * follows from it, and what the records of stages say when it was done.
 */

import { z } from 'zod'
import { EntenteError } from '../base/errors.ts'
import type { Digest, FederationId, OrganisationId, RoundId } from '../base/ids.ts'
import type { Invited, MaskingContext } from '../privacy/masking/context.ts'
import { planFor } from '../privacy/masking/plan.ts'
import type { RosterFacts } from '../privacy/masking/roster.ts'
import type { RobustConfig } from './robust/config.ts'
import { BUCKET_MIN, bucketSeed, bucketsProblem, planBuckets } from './robust/secure-buckets.ts'
import { type EncryptionConfig, encryptionProblem, isEncrypted } from './encryption-config.ts'
import type { CoordinateBound } from './organisation-privacy.ts'
import { type Weighed, weightMaxOf } from './sample-count.ts'
import type { StageRecord } from './stages.ts'

/**
 * `plain`: the hub sees every update, so it is for tests. `secagg`: the hub sees their weighted sum. `paillier`: so it does, and
 * the sum is opened by those who hold shares of a key. `ckks`: likewise, but whoever holds a share can read every update.
 */
export const PROTECTIONS = ['plain', 'secagg', 'paillier', 'ckks'] as const
export const protectionSchema = z.enum(PROTECTIONS)
export type Protection = z.infer<typeof protectionSchema>

/** What an organisation takes part in unless it is told otherwise: no hub can have its update by asking for it in the clear. */
export const HIDING_PROTECTIONS: readonly Protection[] = PROTECTIONS.filter((protection) => protection !== 'plain')

/** Fewer than three cannot hide among each other: the third knows the sum less its own. */
export const HIDDEN_AMONG_MIN = 3

/** The least that a participant agrees to: a hub that asks for less gets no keys, since its letter does not parse. */
export const maskingSchema = z.strictObject({
  corruptShare: z
    .number()
    .min(0.2)
    .lt(1 / 3)
    .default(0.2),
  dropoutShare: z
    .number()
    .min(0)
    .lt(1 / 3)
    .default(0.1),
  failureBits: z.int().min(40).max(128).default(40),
  completeMax: z.int().min(3).max(1000).default(100),
  /** Largest absolute value of one parameter of an update; what is beyond is cut off. */
  valueMax: z.number().positive().max(1e6).default(8),
  /** How long each phase waits for the slow. */
  phaseMs: z.int().min(1).max(86_400_000).default(60_000),
})
export type MaskingConfig = z.infer<typeof maskingSchema>

interface Asked {
  readonly protection: Protection
  readonly masking: MaskingConfig
  readonly robust: RobustConfig
  readonly encryption?: EncryptionConfig | null
  readonly round: { readonly participantsMin: number }
}

/** Why this cannot be done; undefined if it can. */
export function protectionProblem(asked: Asked): string | undefined {
  const { protection, robust, round } = asked
  if (protection === 'plain') return undefined
  if (isEncrypted(protection)) return encryptionProblem({ ...asked, protection })
  if (round.participantsMin < HIDDEN_AMONG_MIN)
    return `secure aggregation hides each organisation among at least ${HIDDEN_AMONG_MIN}: raise round.participantsMin`
  return robust.rule === 'none' ? undefined : bucketsProblem(robust, round.participantsMin)
}

interface Bucketed<Member> {
  readonly config: Pick<Asked, 'robust'>
  readonly roundId: RoundId
  readonly baseModel: Digest
  readonly invited: readonly Member[]
}

/**
 * Among whom each participant hides: all, or, where a robust rule is to look at the means of several sums, its bucket. Everybody
 * computes the same from the announcement. The seed is public, and nothing that is promised rests on it.
 */
export function bucketsOf<Member extends { readonly organisation: OrganisationId }>({
  config,
  roundId,
  baseModel,
  invited,
}: Bucketed<Member>): readonly (readonly Member[])[] {
  if (config.robust.rule === 'none') return [invited]
  const names = invited.map(({ organisation }) => organisation)
  const { buckets } = planBuckets(names, config.robust, bucketSeed(roundId, baseModel))
  return buckets.map((bucket) => invited.filter(({ organisation }) => bucket.includes(organisation)))
}

/** Name of the masking of a round, or of one of its buckets; no round is called like a bucket. */
export function maskingIdOf(round: RoundId, bucket: number, buckets: number): RoundId {
  return buckets === 1 ? round : (`${round}-b${bucket}` as RoundId)
}

export function roundOfMasking(maskingId: string): { readonly round: RoundId; readonly bucket: number } {
  const [, round = maskingId, bucket = '0'] = /^(.*)-b(\d+)$/.exec(maskingId) ?? []
  return { round: round as RoundId, bucket: Number(bucket) }
}

/** Whether so many of those who are invited can hide each other: more than two thirds must take part. */
export function canHide(invited: number, present: number, masking: MaskingConfig): boolean {
  const { valueMax: _, phaseMs: __, ...policy } = masking
  try {
    planFor(invited, present, policy)
    return true
  } catch (error) {
    if (error instanceof EntenteError && error.code === 'forbidden') return false
    throw error
  }
}

/** Phases that take a letter of every participant each: keys, shares, vector, signature, shares again. */
const PHASES_AFTER_KEYS = 4

/** What secure aggregation may add to a round, after its deadline. */
export function maskingMs({ protection, masking }: Pick<Asked, 'protection' | 'masking'>): number {
  return protection === 'plain' ? 0 : PHASES_AFTER_KEYS * masking.phaseMs
}

export interface MaskedRound {
  readonly federation: FederationId
  readonly round: RoundId
  /** Of what it asks for (round-task.ts). */
  readonly task: Digest
  readonly invited: readonly Invited[]
  /** Parameters of the model. */
  readonly length: number
}

/** The same at the hub and at every participant, who builds it from its own knowledge and not from what the hub says. */
export function maskingContext(
  config: Pick<Asked, 'masking'> & Weighed,
  where: MaskedRound,
  bound: CoordinateBound,
): MaskingContext {
  const { valueMax, phaseMs: _, ...policy } = config.masking
  const weightMax = weightMaxOf(config)
  const invited = where.invited.toSorted((a, b) => (a.organisation < b.organisation ? -1 : 1))
  // Noise is summed as it was drawn: nothing is cut off.
  if (bound.grid !== null) return { ...where, invited, ...bound.grid, weightMax, policy }
  // No coordinate is larger than the norm of the whole, and a smaller bound is a finer grid.
  const clip = Math.min(valueMax, bound.normMax ?? valueMax)
  return { ...where, invited, clip, weightMax, policy }
}

/**
 * The records of an update's stages, with what masking did. Of several buckets they say what holds for all: who was in one
 * knows nothing of the grid and the roster of another, and signs no more than it knows.
 */
export function maskedStages(stages: readonly StageRecord[], facts: RosterFacts, buckets = 1): StageRecord[] {
  const [quantised, masked] =
    buckets === 1
      ? [quantiseParameters(facts), maskParameters(facts)]
      : [
          { bits: facts.width, value_max: facts.clip },
          { protocol: 'buckets', buckets, bucket_min: BUCKET_MIN },
        ]
  return stages.map((record) => {
    if (record.stage === 'quantise')
      return { ...record, applied: true, parameters: { ...record.parameters, ...quantised } }
    return record.stage === 'mask' ? { ...record, applied: true, parameters: masked } : record
  })
}

function quantiseParameters({ width, levels, clip, weightMax }: RosterFacts) {
  return { bits: width, levels, value_max: clip, weight_max: weightMax }
}

function maskParameters({ invited, advertised, neighbours, threshold, quorum, corruptMax }: RosterFacts) {
  const protocol = neighbours === advertised - 1 ? 'bonawitz-2017-malicious' : 'bell-2020-malicious'
  return { protocol, invited, members: advertised, neighbours, threshold, quorum, corrupt_max: corruptMax }
}
