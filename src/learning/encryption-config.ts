/**
 * How a training's updates are kept from the hub by encryption: which key, the context of a round that follows from it, and
 * what the records of stages say when it was done.
 */

import { z } from 'zod'
import type { Digest, FederationId, RoundId } from '../base/ids.ts'
import { type EncryptedFacts, type EncryptionContext, requireQuorum } from '../privacy/homomorphic/rounds/context.ts'
import type { HomomorphicScheme, SchemeKind } from '../privacy/homomorphic/scheme.ts'
import type { Invited } from '../privacy/masking/context.ts'
import { DEFAULT_POLICY, type MaskingPolicy } from '../privacy/masking/plan.ts'
import { type Weighed, weightMaxOf } from './sample-count.ts'
import type { StageRecord } from './stages.ts'

/** Of the public parameters of the key ceremony: an organisation that holds no share of just this key takes no part. */
export const encryptionSchema = z.strictObject({
  parameters: z.string().regex(/^[0-9a-f]{64}$/) as unknown as z.ZodType<Digest, string>,
  threshold: z.int().min(1).max(150),
})
export type EncryptionConfig = z.infer<typeof encryptionSchema>

/**
 * How long a phase waits under encryption unless told otherwise: everybody fetches the contributions of all, which under CKKS are
 * hundreds of megabytes for a million parameters.
 */
export const ENCRYPTED_PHASE_MS = 300_000

export function isEncrypted(protection: string): protection is SchemeKind {
  return protection === 'paillier' || protection === 'ckks'
}

interface Asked {
  readonly protection: SchemeKind
  readonly encryption?: EncryptionConfig | null
  readonly robust: { readonly rule: string }
  readonly round: { readonly participantsMin: number }
}

/** Why this cannot be done; undefined if it can. */
export function encryptionProblem({ protection, encryption, robust, round }: Asked): string | undefined {
  if (encryption === null || encryption === undefined)
    return `protection "${protection}" needs a key: name the digest of its parameters and its threshold in "encryption"`
  const least = Math.max(3, encryption.threshold)
  if (round.participantsMin < least)
    return `${encryption.threshold} organisations open a sum, and each hides among at least 3: raise round.participantsMin to ${least}`
  if (robust.rule !== 'none') return `the rule ${robust.rule} looks at more than the one sum that encryption opens`
  return undefined
}

interface Config extends Asked, Weighed {
  readonly round: Asked['round'] & Weighed['round']
  readonly masking: MaskingPolicy & { readonly valueMax: number; readonly phaseMs: number }
}

export interface EncryptedRound {
  readonly federation: FederationId
  readonly round: RoundId
  /** Of what it asks for (round-task.ts). */
  readonly task: Digest
  readonly invited: readonly Invited[]
  /** Parameters of the model. */
  readonly length: number
}

type Parameters = Pick<HomomorphicScheme, 'kind' | 'parameters' | 'threshold' | 'levels' | 'vectorBytes'>

/** The same at the hub and at every participant, who builds it from its own parameter file and not from what the hub says. */
export function encryptionContext(
  config: Config,
  where: EncryptedRound,
  scheme: Parameters,
  normMax: number | null,
): EncryptionContext {
  const { masking } = config
  const { corruptShare, dropoutShare, failureBits, completeMax } = { ...DEFAULT_POLICY, ...masking }
  const context: EncryptionContext = {
    ...where,
    invited: where.invited.toSorted((a, b) => (a.organisation < b.organisation ? -1 : 1)),
    scheme: scheme.kind,
    parameters: scheme.parameters,
    threshold: scheme.threshold,
    levels: scheme.levels,
    vectorBytes: scheme.vectorBytes(where.length),
    clip: Math.min(masking.valueMax, normMax ?? masking.valueMax),
    weightMax: weightMaxOf(config),
    policy: { corruptShare, dropoutShare, failureBits, completeMax },
  }
  requireQuorum(context, context.invited.length)
  return context
}

/** The records of an update's stages, with what encryption did. */
export function encryptedStages(stages: readonly StageRecord[], facts: EncryptedFacts): StageRecord[] {
  const { width, levels, clip, weightMax, scheme, parameters, threshold, quorum, invited, joined } = facts
  const quantised = { bits: width, levels, value_max: clip, weight_max: weightMax }
  const hidden = { scheme, key: parameters, threshold, quorum, invited, members: joined }
  return stages.map((record) => {
    if (record.stage === 'quantise')
      return { ...record, applied: true, parameters: { ...record.parameters, ...quantised } }
    return record.stage === 'encrypt' ? { ...record, applied: true, parameters: hidden } : record
  })
}
