/** Bodies of the messages of a round under encryption, and their strict parsing. Vectors travel as blobs, by digest. */

import { z } from 'zod'
import { fail } from '../../../base/errors.ts'
import type { Digest, OrganisationId } from '../../../base/ids.ts'

const organisation = z.string().regex(/^(?!hub$|operator$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/) as unknown as z.ZodType<
  OrganisationId,
  string
>
const digest = z.string().regex(/^[0-9a-f]{64}$/) as unknown as z.ZodType<Digest, string>
const signature = z.string().regex(/^[A-Za-z0-9_-]{86}$/)
const ORGANISATIONS_MAX = 150

/** organisation -> hub: it has trained, and weighs so much. */
export const joinSchema = z.strictObject({ organisation, weight: z.int().min(1), signature })
export type Join = z.infer<typeof joinSchema>

/** organisation -> hub: its encrypted update is the blob `vector`. */
export const contributionSchema = z.strictObject({ organisation, vector: digest, signature })
export type Contribution = z.infer<typeof contributionSchema>

/** hub -> organisations: the contributions that count, each with its signature, and the digest of their sum. */
export const listSchema = z.strictObject({
  contributions: z.array(contributionSchema).max(ORGANISATIONS_MAX),
  sum: digest,
})
export type ContributionList = z.infer<typeof listSchema>

/** organisation -> hub: it has computed this very sum and agrees to open it. */
export const agreementSchema = z.strictObject({ organisation, signature })
export type Agreement = z.infer<typeof agreementSchema>

/** organisation -> hub: its partial decryption is the blob `partial`. */
export const partialSchema = z.strictObject({ organisation, partial: digest })
export type Partial = z.infer<typeof partialSchema>

export const MESSAGE_SCHEMAS = {
  'encryption-join': joinSchema,
  'encryption-roster': z.array(joinSchema).max(ORGANISATIONS_MAX),
  'encryption-contribution': contributionSchema,
  'encryption-list': listSchema,
  'encryption-agreement': agreementSchema,
  'encryption-quorum': z.array(agreementSchema).max(ORGANISATIONS_MAX),
  'encryption-partial': partialSchema,
} as const
export type MessageType = keyof typeof MESSAGE_SCHEMAS
export type MessageBody<Type extends MessageType> = z.infer<(typeof MESSAGE_SCHEMAS)[Type]>

/** Parses what came from outside. @throws invalid-request naming the first offending field */
export function parseMessage<Type extends MessageType>(type: Type, body: unknown): MessageBody<Type> {
  const parsed = MESSAGE_SCHEMAS[type].safeParse(body)
  if (parsed.success) return parsed.data as MessageBody<Type>
  const issue = parsed.error.issues[0]
  fail('invalid-request', `${type}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'malformed'}`)
}
