/** Branded names. A plain string becomes one only through the functions here, which check its shape. */

import { fail } from './errors.ts'

declare const brand: unique symbol
type Branded<Name extends string> = string & { readonly [brand]: Name }

/** Lowercase DNS-label-like name of an organisation, unique in its federation. */
export type OrganisationId = Branded<'OrganisationId'>
/** Lowercase DNS-like name of a federation; also the origin of its ledger. */
export type FederationId = Branded<'FederationId'>
export type TrainingId = Branded<'TrainingId'>
export type RoundId = Branded<'RoundId'>
/** SHA-256, 64 lowercase hex digits. */
export type Digest = Branded<'Digest'>

/** Who may send or receive an envelope. */
export type Party = OrganisationId | 'hub'

export function organisationId(name: string): OrganisationId {
  if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name) || name === 'hub' || name === 'operator')
    fail(
      'invalid-request',
      `"${name}" cannot name an organisation: use 1 to 63 of a-z, 0-9 and "-", not "hub" or "operator"`,
    )
  return name as OrganisationId
}

export function federationId(name: string): FederationId {
  if (!/^[a-z0-9]([a-z0-9.-]{0,125}[a-z0-9])?$/.test(name))
    fail('invalid-request', `"${name}" cannot name a federation: use 1 to 127 of a-z, 0-9, "." and "-"`)
  return name as FederationId
}

export function trainingId(name: string): TrainingId {
  if (!/^[a-z0-9-]{1,64}$/.test(name)) fail('invalid-request', `"${name}" is not a training id`)
  return name as TrainingId
}

export function roundId(name: string): RoundId {
  if (!/^[a-z0-9-]{1,80}$/.test(name)) fail('invalid-request', `"${name}" is not a round id`)
  return name as RoundId
}

export function digest(hex: string): Digest {
  if (!isDigest(hex)) fail('invalid-request', 'a digest is the SHA-256 as 64 lowercase hex digits')
  return hex
}

export function isDigest(value: unknown): value is Digest {
  return typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)
}
