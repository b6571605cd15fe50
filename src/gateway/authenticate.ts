/** Whether an envelope is what it says: for us, from whom it claims, now. Every refusal has a code of its own. */

import { type Envelope, type EnvelopeHeader, verifyEnvelope } from '../base/envelope.ts'
import { fail } from '../base/errors.ts'
import type { FederationId, Party } from '../base/ids.ts'
import type { PublicKey } from '../base/signature.ts'

/** How far ahead of ours a sender's clock may be. */
export const CLOCK_SKEW_MS_MAX = 300_000

export interface AuthenticationContext {
  readonly federation: FederationId
  /** The party that received the envelope. */
  readonly self: Party
  /** Milliseconds since the epoch. */
  readonly now: number
  /** @throws unknown-organisation, organisation-removed */
  readonly keyOf: (party: Party, at: number) => PublicKey
  /** Who the TLS certificate of the connection names; absent for mail, which the hub hands over. */
  readonly peer?: Party
}

/**
 * Checks audience, sender, time and signature of an envelope. Replay is checked where the id is recorded, in the
 * transaction of the event, because only there can it not race.
 *
 * The sender's key is looked up at `now`, not at `issuedAt`: a removed organisation could date its envelopes back.
 * @throws wrong-audience, impersonation, envelope-expired, unknown-organisation, organisation-removed, digest-mismatch,
 * signature-invalid
 */
export function authenticate(envelope: Envelope, context: AuthenticationContext): void {
  const { header } = envelope
  checkAudience(header, context)
  checkPeer(header, context)
  checkTime(header, context)
  verifyEnvelope(envelope, context.keyOf(header.from, context.now))
}

function checkAudience({ federation, to }: EnvelopeHeader, context: AuthenticationContext): void {
  if (federation !== context.federation)
    fail('wrong-audience', `the envelope is of the federation ${federation}, not ${context.federation}`)
  if (to !== context.self) fail('wrong-audience', `the envelope is for ${to}, not ${context.self}`)
}

function checkPeer({ from }: EnvelopeHeader, { peer }: AuthenticationContext): void {
  if (peer !== undefined && peer !== from)
    fail('impersonation', `the certificate names ${peer}, the envelope claims to be from ${from}`)
}

function checkTime({ issuedAt, expiresAt }: EnvelopeHeader, { now }: AuthenticationContext): void {
  if (issuedAt > now + CLOCK_SKEW_MS_MAX)
    fail('envelope-expired', 'the envelope was issued in the future: check the clocks', { issuedAt, now })
  if (expiresAt < issuedAt)
    fail('envelope-expired', 'the envelope expires before it was issued', { issuedAt, expiresAt })
  if (now > expiresAt) fail('envelope-expired', 'the envelope has expired', { expiresAt, now })
}
