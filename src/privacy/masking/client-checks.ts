/** What a participant checks before it goes on. The adversary is the hub, with every corrupt participant on its side. */

import { fail } from '../../base/errors.ts'
import { digestOf } from '../../base/hash.ts'
import type { Digest, OrganisationId } from '../../base/ids.ts'
import { type MaskingContext, requireSorted, type Statement, verifyStatement } from './context.ts'
import type { Agreement, Inbox, MaskedInput } from './messages.ts'
import { indexOf, type Roster } from './roster.ts'

export function maskedStatement(
  roster: Roster,
  sharers: Digest,
  { organisation, vector }: Pick<MaskedInput, 'organisation' | 'vector'>,
): Statement {
  return { statement: 'masked', roster: roster.digest, sharers, organisation, vector }
}

export function survivorsDigest(survivors: readonly Pick<MaskedInput, 'organisation' | 'vector'>[]): Digest {
  return digestOf(survivors.map(({ organisation, vector }) => ({ organisation, vector })))
}

export function sharersDigest(sharers: readonly OrganisationId[]): Digest {
  return digestOf(sharers)
}

export function survivorsStatement(roster: Roster, sharers: Digest, survivors: Digest): Statement {
  return { statement: 'survivors', roster: roster.digest, sharers, survivors }
}

function publicKeyIn(context: MaskingContext, organisation: OrganisationId): string {
  return context.invited.find((invited) => invited.organisation === organisation)?.publicKey ?? ''
}

function requireAmong(names: readonly OrganisationId[], set: ReadonlySet<OrganisationId>, what: string): void {
  for (const name of names) if (!set.has(name)) fail('invalid-request', `${name} is not among the ${what}`)
}

/**
 * Figure 4, Round 2: "infer U2, assert |U2| >= t". With drawn neighbours, so many of them must be left that the round can
 * be finished; every box comes from a sharer, once; in the complete graph from each.
 * @throws forbidden for too small a set, invalid-request
 */
export function checkInbox(roster: Roster, self: OrganisationId, neighbours: readonly number[], inbox: Inbox): void {
  const { plan, members } = roster
  requireSorted(inbox.sharers)
  requireAmong(inbox.sharers, new Set(members.map(({ organisation }) => organisation)), 'members of the roster')
  const sharers = new Set(inbox.sharers)
  if (!sharers.has(self)) fail('invalid-request', 'the list of sharers leaves its receiver out')
  if (sharers.size < plan.quorum) fail('forbidden', `${sharers.size} sharers are fewer than ${plan.quorum}`)
  const left = neighbours.filter((i) => sharers.has(members[i]?.organisation ?? self)).length
  if (left + 1 < plan.threshold) fail('forbidden', `${left} neighbours are left, too few to open anything`)
  const senders = inbox.boxes.map(({ from }) => from)
  requireSorted(senders)
  requireAmong(senders, sharers, 'sharers')
  if (senders.includes(self)) fail('invalid-request', 'a box comes from its own receiver')
  if (plan.neighbours === members.length - 1 && senders.length !== sharers.size - 1)
    fail('invalid-request', 'a sharer is listed whose box is missing')
}

/** Everybody with whom a mask is shared: drawn by one of the two, and a sharer. Indices into the roster, ascending. */
export function maskPartners(roster: Roster, neighbours: readonly number[], inbox: Inbox): number[] {
  const index = indexOf(roster)
  const sharers = new Set(inbox.sharers.map((name) => index.get(name)))
  const senders = inbox.boxes.map(({ from }) => index.get(from) ?? 0)
  return [...new Set([...neighbours, ...senders])].filter((i) => sharers.has(i)).sort((a, b) => a - b)
}

/**
 * Figure 4, Round 3: "receive U3, assert U3 is a subset of U2 and |U3| >= t". Beyond the paper, each survivor whose
 * self-mask this participant could help to open has itself signed the list of sharers that it masked for. A hub that
 * showed it another list, so that it left out the masks it should have, cannot have it unmasked.
 * @throws forbidden, invalid-request, signature-invalid
 */
export function checkSurvivors(
  context: MaskingContext,
  roster: Roster,
  own: Pick<MaskedInput, 'organisation' | 'vector'>,
  inbox: Inbox,
  survivors: readonly MaskedInput[],
): void {
  const names = survivors.map(({ organisation }) => organisation)
  requireSorted(names)
  requireAmong(names, new Set(inbox.sharers), 'sharers')
  if (names.length < roster.plan.quorum)
    fail('forbidden', `${names.length} survivors are fewer than ${roster.plan.quorum}`)
  if (survivors.find(({ organisation }) => organisation === own.organisation)?.vector !== own.vector)
    fail('invalid-request', 'the list of survivors leaves its receiver out, or names another vector of it')
  const openable = new Set(inbox.boxes.map(({ from }) => from))
  const sharers = sharersDigest(inbox.sharers)
  for (const survivor of survivors)
    if (openable.has(survivor.organisation)) checkMasked(context, roster, sharers, survivor)
}

/** @throws signature-invalid */
export function checkMasked(context: MaskingContext, roster: Roster, sharers: Digest, input: MaskedInput): void {
  const key = publicKeyIn(context, input.organisation)
  if (!verifyStatement(maskedStatement(roster, sharers, input), input.signature, key))
    fail('signature-invalid', `${input.organisation} has not signed this vector for these sharers`)
}

/**
 * Figure 4, Round 4: "assert |U4| >= t, U4 is a subset of U3 and all signatures of U3 are valid".
 * @throws forbidden, invalid-request, signature-invalid
 */
export function checkAgreements(
  context: MaskingContext,
  statement: Statement,
  survivors: readonly OrganisationId[],
  agreements: readonly Agreement[],
  quorum: number,
): void {
  const names = agreements.map(({ organisation }) => organisation)
  requireSorted(names)
  requireAmong(names, new Set(survivors), 'survivors')
  if (names.length < quorum) fail('forbidden', `${names.length} signatures are fewer than ${quorum}`)
  for (const { organisation, signature } of agreements)
    if (!verifyStatement(statement, signature, publicKeyIn(context, organisation)))
      fail('signature-invalid', `${organisation} has not signed this set of survivors`)
}
