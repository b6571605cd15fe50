/** Questions to the registry. */

import { fail } from '../base/errors.ts'
import type { OrganisationId } from '../base/ids.ts'
import type { PublicKey } from '../base/signature.ts'
import type { KeyValidity, Organisation, RegistryState } from './state.ts'

/** The record of an organisation; hasOwn, because names come from outside and "constructor" is one. */
export function findOrganisation(state: RegistryState, organisation: string): Organisation | undefined {
  return Object.hasOwn(state.organisations, organisation)
    ? state.organisations[organisation as OrganisationId]
    : undefined
}

/** @throws unknown-organisation */
export function organisationOf(state: RegistryState, organisation: string): Organisation {
  return (
    findOrganisation(state, organisation) ??
    fail('unknown-organisation', `${organisation} is not registered in this federation`)
  )
}

const validAt = ({ from, until }: KeyValidity, at: number): boolean => from <= at && (until === undefined || at < until)

/**
 * Signing key of an organisation at a time (milliseconds since the epoch).
 * @throws unknown-organisation if it had not joined by then; organisation-removed if it had left or been removed.
 */
export function keyAt(state: RegistryState, organisation: OrganisationId, at: number): PublicKey {
  const { keys, joinedAt } = organisationOf(state, organisation)
  const key = keys.findLast((candidate) => validAt(candidate, at))
  if (key !== undefined) return key.publicKey
  if (keys.some(({ until }) => until !== undefined && until <= at))
    fail('organisation-removed', `${organisation} has left or was removed`)
  return fail('unknown-organisation', `${organisation} had not joined before ${new Date(joinedAt).toISOString()}`)
}

/** Names of the active organisations, sorted. */
export function activeOrganisations(state: RegistryState): OrganisationId[] {
  const names = Object.keys(state.organisations) as OrganisationId[]
  return names.filter((name) => findOrganisation(state, name)?.status === 'active').toSorted()
}

/**
 * The members for a block of the timestamp `at`: who had a key then, and who signed it. A signer counts whatever the
 * timestamp says, since the hub's clock may have gone back while it was a member.
 */
export function membersFor(
  state: RegistryState,
  at: number,
  signers: readonly string[],
): Readonly<Record<OrganisationId, readonly PublicKey[]>> {
  const signed = Object.entries(membersOf(state)).filter(([name]) => signers.includes(name))
  return { ...Object.fromEntries(signed), ...membersOf(state, at) }
}

/**
 * Signing keys of every organisation, of those that have left too, because their blocks stay. With `at` (milliseconds
 * since the epoch), only the keys valid then: the members for a block of that timestamp.
 */
export function membersOf(state: RegistryState, at?: number): Readonly<Record<OrganisationId, readonly PublicKey[]>> {
  const members: Record<OrganisationId, readonly PublicKey[]> = {}
  for (const name of (Object.keys(state.organisations) as OrganisationId[]).toSorted()) {
    const keys = organisationOf(state, name).keys.filter((key) => at === undefined || validAt(key, at))
    if (keys.length > 0) members[name] = [...new Set(keys.map(({ publicKey }) => publicKey))]
  }
  return members
}
