/** Bodies of the messages of a round, as they travel, and their strict parsing. Shares are fixed-size hex, never objects. */

import { z } from 'zod'
import { digestField, organisationField, parseWith, signatureField } from '../rounds/fields.ts'

const [organisation, digest, signature] = [organisationField, digestField, signatureField]
const agreementKey = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
const index = z.int().nonnegative()
const hex = z.string().regex(/^[0-9a-f]*$/)

/** A box: 64 bytes of two shares and a tag of 16, base64url. */
const box = z.string().regex(/^[A-Za-z0-9_-]{107}$/)

/** Round 0 of Bonawitz et al. 2017, Figure 4: advertise keys. `weight` is committed here, before anything is known. */
export const keysSchema = z.strictObject({
  organisation,
  boxKey: agreementKey,
  maskKey: agreementKey,
  weight: z.int().min(1),
  signature,
})
export type AdvertisedKeys = z.infer<typeof keysSchema>

/** Round 1: one box for each neighbour, in the order of `neighbours` (indices into the roster, ascending). */
export const sharesSchema = z.strictObject({
  organisation,
  neighbours: z.array(index),
  boxes: z.array(box),
  /** Digests of the shares of mask key and self-mask seed, 32 bytes each, for the own position and each neighbour's. */
  commitments: hex,
  /** Digest of the self-mask seed. */
  selfSeed: digest,
})
export type Shares = z.infer<typeof sharesSchema>

/** hub -> participant at the end of round 1. */
export const inboxSchema = z.strictObject({
  sharers: z.array(organisation),
  boxes: z.array(z.strictObject({ from: organisation, box })),
})
export type Inbox = z.infer<typeof inboxSchema>

/** Round 2: the masked vector is a blob. */
export const maskedSchema = z.strictObject({ organisation, vector: digest, signature })
export type MaskedInput = z.infer<typeof maskedSchema>

/** Round 3: a survivor's signature of the survivor set. */
export const agreementSchema = z.strictObject({ organisation, signature })
export type Agreement = z.infer<typeof agreementSchema>

/** Round 4: 32 bytes a share, in the order of `owners` (indices into the roster, ascending). Which share is implied. */
export const revealSchema = z.strictObject({ organisation, owners: z.array(index), shares: hex })
export type Reveal = z.infer<typeof revealSchema>

export const MESSAGE_SCHEMAS = {
  'masking-keys': keysSchema,
  'masking-roster': z.array(keysSchema),
  'masking-shares': sharesSchema,
  'masking-inbox': inboxSchema,
  'masking-input': maskedSchema,
  'masking-survivors': z.array(maskedSchema),
  'masking-agreement': agreementSchema,
  'masking-quorum': z.array(agreementSchema),
  'masking-reveal': revealSchema,
} as const
export type MessageType = keyof typeof MESSAGE_SCHEMAS
export type MessageBody<Type extends MessageType> = z.infer<(typeof MESSAGE_SCHEMAS)[Type]>

/** @throws invalid-request naming the first offending field */
export function parseMessage<Type extends MessageType>(type: Type, body: unknown): MessageBody<Type> {
  return parseWith(MESSAGE_SCHEMAS[type], type, body) as MessageBody<Type>
}
