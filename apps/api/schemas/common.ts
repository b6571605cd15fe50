/** Shapes that several routes share. Names on the wire are those of the ledger document. */

import { z } from 'zod'
import { digest, isDigest, organisationId } from '../../../src/base/ids.ts'

const checked = <Id>(parse: (name: string) => Id) =>
  z.string().refine(
    (name) => {
      try {
        parse(name)
        return true
      } catch {
        return false
      }
    },
    { error: 'does not have the form of such a name' },
  )

export const digestSchema = z
  .string()
  .refine(isDigest, { error: 'a digest is the SHA-256 as 64 lowercase hex digits' })
  .describe('SHA-256, 64 lowercase hex digits')
export const organisationSchema = checked(organisationId).describe('1 to 63 of a-z, 0-9 and "-"')
export const publicKeySchema = z.string().length(43).describe('32 bytes, base64url')
export const signatureSchema = z.string().length(86).describe('Ed25519, 64 bytes, base64url')
export const millisecondsSchema = z.int().nonnegative().describe('milliseconds since the Unix epoch')
export const anythingSchema = z.record(z.string(), z.unknown())
export const heightSchema = z.coerce.number().int().nonnegative()

export const parseDigest = digest
export const parseOrganisation = organisationId

export const headerSchema = z
  .strictObject({
    type: z.string().min(1).max(64),
    id: z.string().min(1).max(128),
    from: z.string().min(1).max(63),
    to: z.string().min(1).max(63),
    federation: z.string().min(1).max(127),
    issuedAt: millisecondsSchema,
    expiresAt: millisecondsSchema,
    replyTo: z.string().min(1).max(128).optional(),
    bodyHash: digestSchema,
  })
  .meta({ id: 'EnvelopeHeader' })

export const envelopeBodySchema = z
  .strictObject({ header: headerSchema, body: z.unknown(), signature: signatureSchema })
  .meta({ id: 'Envelope' })

/** A stored block: what the ledger room verified; repeated here only as far as OpenAPI readers need it. */
export const blockSchema = z
  .object({
    height: z.int(),
    timestamp: z.string(),
    prev_hash: z.string(),
    model_hash: z.string(),
    org_signatures: z.record(z.string(), z.string()),
    aggregation_metrics: anythingSchema,
    provenance: anythingSchema,
    hash: z.string(),
  })
  .meta({ id: 'Block' })
