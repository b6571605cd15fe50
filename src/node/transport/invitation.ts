/** One string that an administrator pastes to join: where the hub is, how to know it, and a secret to use once. */

import { z } from 'zod'
import { fromBase64Url, text, toBase64Url, utf8 } from '../../base/bytes.ts'
import { fail } from '../../base/errors.ts'
import { federationId } from '../../base/ids.ts'

const invitationSchema = z.strictObject({
  v: z.literal(1),
  federation: z.string().transform((name) => federationId(name)),
  /** Addresses of the hub's processes. */
  urls: z
    .array(z.url({ protocol: /^https$/ }))
    .min(1)
    .max(16),
  /** PEM certificate of the federation's authority: what makes the first contact safe. */
  authority: z.string().min(1).max(8192),
  /** Shown once, kept by the hub as a digest only. */
  token: z.string().min(32).max(128),
  /** Milliseconds since the epoch. */
  expiresAt: z.int().positive(),
})

export type Invitation = z.infer<typeof invitationSchema>

export function encodeInvitation(invitation: Invitation): string {
  return toBase64Url(utf8(JSON.stringify(invitation)))
}

/** @throws invitation-invalid for anything that {@link encodeInvitation} did not write, and after its expiry */
export function decodeInvitation(encoded: string, now: number): Invitation {
  const parsed = invitationSchema.safeParse(jsonOf(encoded.trim()))
  if (!parsed.success)
    fail('invitation-invalid', 'this is not an invitation; copy the whole string, without line breaks')
  if (parsed.data.expiresAt <= now)
    fail('invitation-invalid', 'the invitation has expired; ask the operator of the hub for another')
  return parsed.data
}

function jsonOf(encoded: string): unknown {
  const bytes = fromBase64Url(encoded)
  if (bytes === undefined) return undefined
  try {
    return JSON.parse(text(bytes))
  } catch {
    return undefined
  }
}
