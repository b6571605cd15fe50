/** Who belongs to the federation: invitations, registration, leaving and removal. */

import { toBase64Url, utf8 } from '../../base/bytes.ts'
import { canonicalBytes } from '../../base/canonical.ts'
import { fail } from '../../base/errors.ts'
import { digestOf, sha256Hex } from '../../base/hash.ts'
import type { FederationId, OrganisationId } from '../../base/ids.ts'
import { type PublicKey, type Signature, verify } from '../../base/signature.ts'
import { keyAt, organisationOf } from '../../registry/read.ts'
import type { Drive } from '../drive.ts'
import type { HubContext } from './identity.ts'
import { REGISTRY_STREAM, registryState } from './members.ts'
import { joinTrainings, leaveTrainings } from './trainings.ts'

const INVITATION_LIFETIME_MS = 7 * 86_400_000
const TOKEN_BYTES = 32

export interface IssuedInvitation {
  /** Shown once; the hub keeps its digest only. */
  readonly token: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

/** What an organisation says of itself when it joins. */
export interface Registration {
  readonly organisation: OrganisationId
  readonly signingKey: PublicKey
  /** Raw X25519 public key, base64url. */
  readonly agreementKey: string
  readonly endpoint: string
  readonly capabilities: readonly string[]
}

/** The bytes that the new signing key signs, in domain `registration`: nobody registers a key that is not theirs. */
export function registrationStatement(federation: FederationId, registration: Registration, csr: string): Uint8Array {
  return canonicalBytes({ federation, ...registration, csr })
}

/** @throws signature-invalid unless the key being registered signed the statement */
export function verifyPossession(
  federation: FederationId,
  registration: Registration,
  csr: string,
  proof: Signature,
): void {
  if (!verify('registration', registrationStatement(federation, registration, csr), proof, registration.signingKey))
    fail('signature-invalid', 'the registration is not signed by the signing key that it brings')
}

export async function invite(
  context: HubContext,
  drive: Drive,
  options: { organisation?: OrganisationId; lifetimeMs?: number } = {},
): Promise<IssuedInvitation> {
  const at = context.ports.clock.now()
  const token = toBase64Url(context.ports.random.bytes(TOKEN_BYTES))
  const tokenHash = hashOfToken(token)
  const expiresAt = at + (options.lifetimeMs ?? INVITATION_LIFETIME_MS)
  const named = options.organisation === undefined ? {} : { organisation: options.organisation }
  await drive.dispatch(
    REGISTRY_STREAM,
    { type: 'invitation-issued', tokenHash, ...named, expiresAt, at },
    { id: `invitation/${tokenHash}` },
  )
  return { token, expiresAt }
}

/** Registers whoever holds an invitation. The same request again succeeds again: its reply may have been lost. */
export async function register(
  context: HubContext,
  drive: Drive,
  token: string,
  registration: Registration,
): Promise<void> {
  const at = context.ports.clock.now()
  const tokenHash = hashOfToken(token)
  const event = { type: 'organisation-registered', tokenHash, ...registration, at }
  await drive.dispatch(REGISTRY_STREAM, event, { id: `registration/${tokenHash}/${digestOf(registration)}/${at}` })
  await joinTrainings(context, drive, registration.organisation, tokenHash)
}

/** Removes an organisation; its certificate stays valid and is of no use, since every request asks the registry. */
export async function remove(
  context: HubContext,
  drive: Drive,
  organisation: OrganisationId,
  reason: string,
): Promise<void> {
  const at = context.ports.clock.now()
  organisationOf(await registryState(drive), organisation)
  const cause = `removal/${at}`
  // Trainings first: if we stop in between, the operator's second try finds the organisation still there to remove.
  await leaveTrainings(context, drive, organisation, cause)
  await drive.dispatch(
    REGISTRY_STREAM,
    { type: 'organisation-removed', organisation, reason, at },
    { id: `${cause}/${organisation}` },
  )
}

/** @throws unknown-organisation, organisation-removed unless it is a member now */
export async function requireMember(context: HubContext, drive: Drive, organisation: OrganisationId): Promise<void> {
  keyAt(await registryState(drive), organisation, context.ports.clock.now())
}

function hashOfToken(token: string) {
  return sha256Hex(utf8(token))
}
