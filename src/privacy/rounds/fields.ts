/** Fields that messages of hidden rounds share, and the strict parsing of a message. */

import { z } from 'zod'
import { fail } from '../../base/errors.ts'
import type { Digest, OrganisationId } from '../../base/ids.ts'

export const organisationField = z
  .string()
  .regex(/^(?!hub$|operator$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/) as unknown as z.ZodType<OrganisationId, string>
export const digestField = z.string().regex(/^[0-9a-f]{64}$/) as unknown as z.ZodType<Digest, string>
/** Ed25519, base64url. */
export const signatureField = z.string().regex(/^[A-Za-z0-9_-]{86}$/)

/** Parses what came from outside. @throws invalid-request naming the first offending field */
export function parseWith<Schema extends z.ZodType>(schema: Schema, type: string, body: unknown): z.infer<Schema> {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  return fail('invalid-request', `${type}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'malformed'}`)
}
