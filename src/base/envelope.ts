/**
 * The form of every message that crosses a border: a canonical header bound to its body by digest, under one Ed25519
 * signature. Both ends keep it as evidence, so it is verifiable by a third party with the sender's public key alone.
 */

import { z } from 'zod'
import { canonicalBytes } from './canonical.ts'
import { fail } from './errors.ts'
import { digestOf } from './hash.ts'
import { type Digest, type FederationId, isDigest, type Party } from './ids.ts'
import { type PublicKey, type SecretKey, type Signature, sign, verify } from './signature.ts'

export interface EnvelopeHeader {
  /** What the body is, e.g. `contribution`. */
  readonly type: string
  /** Unique per sender; a receiver accepts each id once. */
  readonly id: string
  readonly from: Party
  readonly to: Party
  readonly federation: FederationId
  /** Milliseconds since the Unix epoch. */
  readonly issuedAt: number
  /** Milliseconds since the Unix epoch. */
  readonly expiresAt: number
  /** Id of the envelope that this one answers. */
  readonly replyTo?: string
  readonly bodyHash: Digest
}

export interface Envelope<Body = unknown> {
  readonly header: EnvelopeHeader
  readonly body: Body
  readonly signature: Signature
}

export const envelopeSchema = z.strictObject({
  header: z.strictObject({
    type: z.string().min(1).max(64),
    id: z.string().min(1).max(128),
    from: z.string().min(1).max(63),
    to: z.string().min(1).max(63),
    federation: z.string().min(1).max(127),
    issuedAt: z.int().nonnegative(),
    expiresAt: z.int().nonnegative(),
    replyTo: z.string().min(1).max(128).optional(),
    bodyHash: z.string().refine(isDigest),
  }),
  body: z.unknown(),
  signature: z.string().length(86),
})

/** Parses what a stranger sent. @throws invalid-request naming the first offending field. */
export function parseEnvelope(value: unknown): Envelope {
  const parsed = envelopeSchema.safeParse(value)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]
    fail('invalid-request', `not an envelope: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'malformed'}`)
  }
  return parsed.data as Envelope
}

export function signEnvelope<Body>(
  header: Omit<EnvelopeHeader, 'bodyHash'>,
  body: Body,
  secret: SecretKey,
): Envelope<Body> {
  const bound: EnvelopeHeader = { ...header, bodyHash: digestOf(body) }
  return { header: bound, body, signature: sign('envelope', canonicalBytes(bound), secret) }
}

/** @throws digest-mismatch if the body is not the one signed; signature-invalid if the key did not sign the header. */
export function verifyEnvelope(envelope: Envelope, publicKey: PublicKey): void {
  if (digestOf(envelope.body) !== envelope.header.bodyHash)
    fail('digest-mismatch', 'the body of the envelope is not the one that was signed')
  if (!verify('envelope', canonicalBytes(envelope.header), envelope.signature, publicKey))
    fail('signature-invalid', `the envelope is not signed by the registered key of ${envelope.header.from}`)
}
