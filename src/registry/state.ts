/** What the registry remembers and what happens to it. */

import type { Digest, OrganisationId } from '../base/ids.ts'
import type { PublicKey } from '../base/signature.ts'

/** A signing key and when it was valid: from <= t < until, milliseconds since the epoch. */
export interface KeyValidity {
  readonly publicKey: PublicKey
  readonly from: number
  readonly until?: number
}

/** An invitation that nobody has used yet. The token itself is never stored. */
export interface Invitation {
  /** The only name it admits; absent = any that is free. */
  readonly organisation?: OrganisationId
  readonly expiresAt: number
}

export interface Organisation {
  readonly status: 'active' | 'left' | 'removed'
  readonly keys: readonly KeyValidity[]
  /** X25519 public key, 32 bytes, base64url. */
  readonly agreementKey: string
  readonly endpoint: string
  readonly capabilities: readonly string[]
  /** Hash of the token with which it joined, to recognise a repetition of that request. */
  readonly tokenHash: Digest
  readonly joinedAt: number
  readonly leftAt?: number
  /** Why it was removed. */
  readonly reason?: string
}

export interface RegistryState {
  readonly invitations: Readonly<Record<Digest, Invitation>>
  readonly organisations: Readonly<Record<OrganisationId, Organisation>>
}

export interface InvitationIssued {
  readonly type: 'invitation-issued'
  /** SHA-256 of the token. */
  readonly tokenHash: Digest
  readonly organisation?: OrganisationId
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
  readonly at: number
}

export interface OrganisationRegistered {
  readonly type: 'organisation-registered'
  readonly tokenHash: Digest
  readonly organisation: OrganisationId
  readonly signingKey: PublicKey
  readonly agreementKey: string
  readonly endpoint: string
  readonly capabilities: readonly string[]
  readonly at: number
}

export interface OrganisationLeft {
  readonly type: 'organisation-left'
  readonly organisation: OrganisationId
  readonly at: number
}

export interface OrganisationRemoved {
  readonly type: 'organisation-removed'
  readonly organisation: OrganisationId
  readonly reason: string
  readonly at: number
}

export type RegistryEvent = InvitationIssued | OrganisationRegistered | OrganisationLeft | OrganisationRemoved
