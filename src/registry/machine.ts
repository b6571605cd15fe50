/**
 * The registry: who may speak in the federation, under which key, since when.
 *
 * Invariants: 1. an invitation admits once; 2. a key belongs to one organisation for ever; 3. what an organisation signed
 * while it was a member stays verifiable after it left; 4. the same registration again changes nothing.
 */

import { fromBase64Url } from '../base/bytes.ts'
import { fail } from '../base/errors.ts'
import { digest, organisationId } from '../base/ids.ts'
import type { Machine } from '../base/machine.ts'
import { findOrganisation, organisationOf } from './read.ts'
import type {
  Invitation,
  InvitationIssued,
  Organisation,
  OrganisationLeft,
  OrganisationRegistered,
  OrganisationRemoved,
  RegistryEvent,
  RegistryState,
} from './state.ts'

const ENDPOINT_LENGTH_MAX = 2048
const CAPABILITIES_MAX = 64
const CAPABILITY_LENGTH_MAX = 64

const findInvitation = (state: RegistryState, tokenHash: InvitationIssued['tokenHash']): Invitation | undefined =>
  Object.hasOwn(state.invitations, tokenHash) ? state.invitations[tokenHash] : undefined

const joinedWith = (state: RegistryState, tokenHash: string): boolean =>
  Object.values<Organisation>(state.organisations).some((organisation) => organisation.tokenHash === tokenHash)

function sameInvitation(a: Invitation, b: InvitationIssued): boolean {
  return a.organisation === b.organisation && a.expiresAt === b.expiresAt
}

function onInvited(state: RegistryState, event: InvitationIssued): RegistryState {
  const known = findInvitation(state, digest(event.tokenHash))
  if (known !== undefined && sameInvitation(known, event)) return state
  if (known !== undefined || joinedWith(state, event.tokenHash))
    fail('already-exists', 'an invitation with this token was issued before')
  if (!(event.expiresAt > event.at)) fail('invalid-request', 'an invitation expires after it is issued')
  const { tokenHash, organisation, expiresAt } = event
  if (organisation !== undefined) organisationId(organisation)
  const invitation: Invitation = organisation === undefined ? { expiresAt } : { organisation, expiresAt }
  // Expired ones go, so that the state does not grow with every invitation that nobody used.
  const open = Object.entries<Invitation>(state.invitations).filter(([, { expiresAt: end }]) => end > event.at)
  return { ...state, invitations: { ...Object.fromEntries(open), [tokenHash]: invitation } }
}

function checkForm(event: OrganisationRegistered): void {
  organisationId(event.organisation)
  for (const key of [event.signingKey, event.agreementKey])
    if (fromBase64Url(key)?.length !== 32) fail('invalid-request', 'a public key is 32 bytes in base64url')
  if (event.endpoint.length > ENDPOINT_LENGTH_MAX)
    fail('invalid-request', `an endpoint has at most ${ENDPOINT_LENGTH_MAX} characters`)
  if (
    event.capabilities.length > CAPABILITIES_MAX ||
    event.capabilities.some(({ length }) => length > CAPABILITY_LENGTH_MAX)
  )
    fail('invalid-request', `at most ${CAPABILITIES_MAX} capabilities of ${CAPABILITY_LENGTH_MAX} characters`)
}

/** The very registration that is on record: its reply was lost, and the organisation asks again. */
function isRepetition(known: Organisation | undefined, event: OrganisationRegistered): boolean {
  if (known?.status !== 'active' || known.tokenHash !== event.tokenHash) return false
  return known.keys.at(-1)?.publicKey === event.signingKey && known.agreementKey === event.agreementKey
}

/** @throws invitation-invalid */
function useInvitation(state: RegistryState, { tokenHash, organisation, at }: OrganisationRegistered): Invitation {
  const invitation = findInvitation(state, tokenHash)
  if (invitation === undefined) fail('invitation-invalid', 'the invitation is unknown or used')
  if (at >= invitation.expiresAt) fail('invitation-invalid', 'the invitation has expired')
  if (invitation.organisation !== undefined && invitation.organisation !== organisation)
    fail('invitation-invalid', 'the invitation is for another organisation')
  return invitation
}

/** One that left may come back; one that was removed only by an invitation that names it. */
function checkName(known: Organisation | undefined, invitation: Invitation, name: string): void {
  if (known?.status === 'active') fail('organisation-exists', `${name} is a registered organisation`)
  if (known?.status === 'removed' && invitation.organisation !== name)
    fail('organisation-removed', `${name} was removed from this federation`)
}

/** One party with two names would count twice in every quorum. */
function checkKeyUnused(state: RegistryState, { organisation, signingKey }: OrganisationRegistered): void {
  for (const [name, { keys }] of Object.entries<Organisation>(state.organisations))
    if (name !== organisation && keys.some(({ publicKey }) => publicKey === signingKey))
      fail('organisation-exists', 'the signing key belongs to another organisation')
}

function onRegistered(state: RegistryState, event: OrganisationRegistered): RegistryState {
  checkForm(event)
  const known = findOrganisation(state, event.organisation)
  if (isRepetition(known, event)) return state
  const invitation = useInvitation(state, event)
  checkName(known, invitation, event.organisation)
  checkKeyUnused(state, event)
  const { agreementKey, endpoint, capabilities, tokenHash, at } = event
  const keys = [...(known?.keys ?? []), { publicKey: event.signingKey, from: at }]
  const organisation: Organisation = {
    status: 'active',
    keys,
    agreementKey,
    endpoint,
    capabilities,
    tokenHash,
    joinedAt: at,
  }
  const invitations = Object.fromEntries(Object.entries(state.invitations).filter(([hash]) => hash !== tokenHash))
  return { invitations, organisations: { ...state.organisations, [event.organisation]: organisation } }
}

function onGone(state: RegistryState, event: OrganisationLeft | OrganisationRemoved): RegistryState {
  const known = organisationOf(state, event.organisation)
  const status = event.type === 'organisation-left' ? 'left' : 'removed'
  if (known.status === status || known.status === 'removed') return state
  const keys = known.keys.map((key) => (key.until === undefined ? { ...key, until: event.at } : key))
  const gone: Organisation = {
    ...known,
    status,
    keys,
    leftAt: known.leftAt ?? event.at,
    ...(event.type === 'organisation-removed' ? { reason: event.reason } : {}),
  }
  return { ...state, organisations: { ...state.organisations, [event.organisation]: gone } }
}

function next(state: RegistryState, event: RegistryEvent): RegistryState {
  switch (event.type) {
    case 'invitation-issued':
      return onInvited(state, event)
    case 'organisation-registered':
      return onRegistered(state, event)
    case 'organisation-left':
    case 'organisation-removed':
      return onGone(state, event)
  }
}

/** The registry machine, stream `registry` of the hub. It has no effects. */
export const registryMachine: Machine<RegistryState, RegistryEvent, never> = {
  kind: 'registry',
  initial: () => ({ invitations: {}, organisations: {} }),
  step: (state, event) => ({ state: next(state, event), effects: [] }),
}
