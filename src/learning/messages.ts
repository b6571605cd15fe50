/** Bodies of the envelopes of a training, as they travel. The hub and the organisations parse with the same schemas. */

import { z } from 'zod'
import { fail } from '../base/errors.ts'
import type { Digest, OrganisationId, RoundId, TrainingId } from '../base/ids.ts'
import { MESSAGE_SCHEMAS as ENCRYPTION_SCHEMAS } from '../privacy/homomorphic/rounds/messages.ts'
import { MESSAGE_SCHEMAS } from '../privacy/masking/messages.ts'
import { PARTICIPANTS_MAX, trainingConfigSchema } from './config.ts'
import { stageRecordSchema } from './stages.ts'

/** A string of this shape is the branded id: the pattern is the one that base/ids.ts checks. */
function branded<Id extends string>(pattern: RegExp): z.ZodType<Id, string> {
  return z.string().regex(pattern) as unknown as z.ZodType<Id, string>
}

export const digestSchema = branded<Digest>(/^[0-9a-f]{64}$/)
export const organisationIdSchema = branded<OrganisationId>(/^(?!hub$|operator$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)
export const roundIdSchema = branded<RoundId>(/^[a-z0-9-]{1,80}$/)
export const trainingIdSchema = branded<TrainingId>(/^[a-z0-9-]{1,64}$/)

const millisecondsSchema = z.int().nonnegative()
const signatureSchema = z.string().length(86)
const publicKeySchema = z.string().length(43)
/** Kinds of log an update was trained on, e.g. `zeek-tsv`. Never names of hosts or files. */
const dataSourcesSchema = z.array(z.string().min(1).max(64)).max(16).default([])
const reasonSchema = z.string().min(1).max(256)

const announcementSchema = z.strictObject({
  round_id: roundIdSchema,
  training_id: trainingIdSchema,
  round: z.int().min(1),
  base_model: digestSchema,
  config: trainingConfigSchema,
  deadline: millisecondsSchema,
  /** Everybody who is selected, where they hide among each other; each compares the keys with those that it knows. */
  invited: z
    .array(z.strictObject({ organisation: organisationIdSchema, publicKey: publicKeySchema }))
    .max(PARTICIPANTS_MAX)
    .optional(),
})

/**
 * hub -> organisation: you are selected; train from `base_model` and answer before `deadline` (milliseconds, epoch).
 * A round is called by its training and its number, and by nothing else: one that was called like a bucket of another would have
 * that one's update masked a second time, noise and all.
 */
export const roundAnnouncedSchema = announcementSchema.refine(
  ({ round_id, training_id, round }) => round_id === `${training_id}-${round}`,
  { message: 'round_id is not that of the training and the round', path: ['round_id'] },
)
export type RoundAnnouncement = z.infer<typeof roundAnnouncedSchema>

/**
 * What an organisation says about its update. The count is any number here: the round judges it, so that the refusal is
 * `sample-count-invalid` and not a complaint about form.
 */
export const gradientSchema = z.strictObject({
  blob: z.strictObject({ digest: digestSchema, size: z.int().nonnegative() }),
  base_model: digestSchema,
  sample_count: z.number(),
  stages: z.array(stageRecordSchema).max(16),
  /** Self-declared figures of local training, e.g. `loss`. */
  metrics: z
    .record(z.string().max(64), z.number())
    .refine((metrics) => Object.keys(metrics).length <= 16, 'at most 16 metrics'),
  data_sources: dataSourcesSchema,
})

/** organisation -> hub. `encrypted_gradient` keeps the name of the ledger document; `stages` says what it really is. */
export const contributionSchema = z.strictObject({
  round_id: roundIdSchema,
  org_id: organisationIdSchema,
  encrypted_gradient: gradientSchema,
})
export type ContributionBody = z.infer<typeof contributionSchema>

/** organisation -> hub: this organisation will not contribute to the round (no data, say); do not wait for it. */
export const roundDeclinedSchema = z.strictObject({ round_id: roundIdSchema, reason: reasonSchema })

/** hub -> participants. The block is judged field by field by participant.ts, and again by the ledger. */
export const blockProposedSchema = z.strictObject({ id: roundIdSchema, block: z.record(z.string(), z.unknown()) })

/** participant -> hub: signature in domain `block` over the bytes of `hash`. */
export const blockSignatureSchema = z.strictObject({
  id: roundIdSchema,
  height: z.int().nonnegative(),
  hash: digestSchema,
  signature: signatureSchema,
})

/** hub -> every member. `leaf` is the canonical JSON of the block, `checkpoint` the signed note of the log that ends with it. */
export const blockPublishedSchema = z.strictObject({
  leaf: z.string().max(65_535),
  checkpoint: z.string().max(65_535),
  members: z.record(organisationIdSchema, z.array(publicKeySchema)),
})

/** hub -> participants: nothing more will come of this round. */
export const roundAbandonedSchema = z.strictObject({ round_id: roundIdSchema, reason: reasonSchema })

/** A message of secure aggregation, in either direction: privacy/masking/messages.ts. */
function masked<Type extends keyof typeof MESSAGE_SCHEMAS>(type: Type) {
  return z.strictObject({ round_id: roundIdSchema, body: MESSAGE_SCHEMAS[type] })
}

/** A message of a round under encryption, in either direction: privacy/homomorphic/rounds/messages.ts. */
function encrypted<Type extends keyof typeof ENCRYPTION_SCHEMAS>(type: Type) {
  return z.strictObject({ round_id: roundIdSchema, body: ENCRYPTION_SCHEMAS[type] })
}

/** organisation -> hub: it has trained and takes part. `data_sources` as in a contribution. */
export const maskingKeysSchema = masked('masking-keys').extend({ data_sources: dataSourcesSchema })

/**
 * organisation -> hub: what the sealed model of a round did to the loss on rows of its own that it was not trained on, in
 * tenths of a nat given as percent; differentially private by itself (verdict.ts). Advice: nothing waits for it.
 */
export const modelValidatedSchema = z.strictObject({
  round_id: roundIdSchema,
  model: digestSchema,
  improvement_percent: z.int().min(-100).max(100).multipleOf(10),
})

/** organisation -> hub: this organisation leaves the federation. */
export const leaveSchema = z.strictObject({})

export const BODY_SCHEMAS = {
  'round-announced': roundAnnouncedSchema,
  contribution: contributionSchema,
  'round-declined': roundDeclinedSchema,
  'block-proposed': blockProposedSchema,
  'block-signature': blockSignatureSchema,
  'block-published': blockPublishedSchema,
  'round-abandoned': roundAbandonedSchema,
  'masking-keys': maskingKeysSchema,
  'masking-roster': masked('masking-roster'),
  'masking-shares': masked('masking-shares'),
  'masking-inbox': masked('masking-inbox'),
  'masking-input': masked('masking-input'),
  'masking-survivors': masked('masking-survivors'),
  'masking-agreement': masked('masking-agreement'),
  'masking-quorum': masked('masking-quorum'),
  'masking-reveal': masked('masking-reveal'),
  'encryption-join': encrypted('encryption-join').extend({ data_sources: dataSourcesSchema }),
  'encryption-roster': encrypted('encryption-roster'),
  'encryption-contribution': encrypted('encryption-contribution'),
  'encryption-list': encrypted('encryption-list'),
  'encryption-agreement': encrypted('encryption-agreement'),
  'encryption-quorum': encrypted('encryption-quorum'),
  'encryption-partial': encrypted('encryption-partial'),
  'model-validated': modelValidatedSchema,
  leave: leaveSchema,
} as const

export type MessageType = keyof typeof BODY_SCHEMAS
export type MessageBody<Type extends MessageType> = z.infer<(typeof BODY_SCHEMAS)[Type]>

export function isMessageType(type: string): type is MessageType {
  return Object.hasOwn(BODY_SCHEMAS, type)
}

/** Parses the body of an envelope of this type. @throws invalid-request naming the first offending field */
export function parseBody<Type extends MessageType>(type: Type, body: unknown): MessageBody<Type> {
  const parsed = BODY_SCHEMAS[type].safeParse(body)
  if (parsed.success) return parsed.data as MessageBody<Type>
  const issue = parsed.error.issues[0]
  fail('invalid-request', `${type}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'malformed'}`, {
    type,
    path: issue?.path.join('.'),
  })
}
