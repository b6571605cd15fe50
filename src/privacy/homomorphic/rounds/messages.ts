/** Bodies of the messages of a round under encryption, and their strict parsing. Vectors travel as blobs, by digest. */

import { z } from 'zod'
import { digestField, organisationField, parseWith, signatureField } from '../../rounds/fields.ts'

const [organisation, digest, signature] = [organisationField, digestField, signatureField]
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

/** @throws invalid-request naming the first offending field */
export function parseMessage<Type extends MessageType>(type: Type, body: unknown): MessageBody<Type> {
  return parseWith(MESSAGE_SCHEMAS[type], type, body) as MessageBody<Type>
}
