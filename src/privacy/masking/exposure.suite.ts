/**
 * What a hub, together with corrupt participants, can work out from everything that was ever sent: for tests and the
 * checker. Honest participants are what they are; the hub is assumed to have kept all.
 *
 * A vector of v carries a self-mask and one mask for each partner. The hub knows the self-mask if it holds `threshold`
 * shares of v's seed, a pair's mask if it holds as many of the mask key of either, or either is corrupt. What is left are
 * vectors tied together by unknown masks: only the sum of a whole connected part, if every self-mask in it is known and
 * each unknown mask is in it with both signs, is readable.
 */

import type { OrganisationId } from '../../base/ids.ts'
import type { World } from './fixtures.ts'
import type { MessageBody } from './messages.ts'
import { rosterOf } from './roster.ts'
import { shareDigest, type ShareKind } from './share-box.ts'

export interface Exposure {
  /** Sets of honest participants of whom the hub knows the sum of their quantised updates. */
  readonly readable: readonly (readonly OrganisationId[])[]
  /** Honest participants of whose two secrets the hub can open both. */
  readonly bothOpen: readonly OrganisationId[]
  /** Shares that honest participants revealed. */
  readonly revealedShares: number
}

export function exposureOf(
  world: World,
  corrupt: ReadonlySet<OrganisationId> = new Set(),
  /** Leaves out the reveals that came too late, or never: what the hub really worked with. */
  options: { readonly inTime?: boolean } = {},
): Exposure {
  const honest = world.names.filter((name) => !corrupt.has(name))
  const inTime = world.hubLog.flatMap((event) => (event.type === 'reveal' ? [event.from] : []))
  const known = knownShares(world, corrupt, (from) => options.inTime !== true || inTime.includes(from))
  const thresholds = new Map(world.names.map((name) => [name, thresholdOf(world, name)]))
  const opened = (kind: ShareKind, owner: OrganisationId): boolean =>
    corrupt.has(owner) ||
    (known.get(`${kind} ${owner}`)?.size ?? 0) >= (thresholds.get(owner) ?? Number.POSITIVE_INFINITY)
  const sent = new Set(world.sent.filter(({ message }) => message === 'masking-input').map(({ from }) => from))
  const hidden = (a: OrganisationId, b: OrganisationId): boolean => !opened('mask', a) && !opened('mask', b)
  const ties = (name: OrganisationId): OrganisationId[] =>
    (world.partners.get(name) ?? []).filter((other) => hidden(name, other))
  const parts = connected(
    honest.filter((name) => sent.has(name)),
    ties,
  )
  const readable = parts.filter((part) =>
    part.every(
      (name) => opened('self', name) && ties(name).every((other) => sent.has(other) && ties(other).includes(name)),
    ),
  )
  const bothOpen = honest.filter((name) => opened('self', name) && opened('mask', name))
  const revealedShares = [...known.values()].reduce((sum, holders) => sum + holders.size, 0)
  return { readable, bothOpen, revealedShares }
}

/** Holders whose share the hub has, by kind and owner. */
function knownShares(
  world: World,
  corrupt: ReadonlySet<OrganisationId>,
  counts: (from: OrganisationId) => boolean,
): Map<string, Set<OrganisationId>> {
  const known = new Map<string, Set<OrganisationId>>()
  const add = (kind: ShareKind, owner: OrganisationId, holder: OrganisationId): void => {
    const key = `${kind} ${owner}`
    known.set(key, (known.get(key) ?? new Set()).add(holder))
  }
  for (const { from, message, body } of world.sent) {
    if (message === 'masking-shares')
      for (const i of (body as MessageBody<'masking-shares'>).neighbours) {
        const holder = membersSeenBy(world, from)[i]?.organisation ?? from
        if (corrupt.has(holder)) for (const kind of ['mask', 'self'] as const) add(kind, from, holder)
      }
    if (message === 'masking-reveal' && counts(from))
      addRevealed(world, from, body as MessageBody<'masking-reveal'>, add)
  }
  return known
}

/** Which share it is, its digest tells, whatever its revealer should have sent. */
function addRevealed(
  world: World,
  from: OrganisationId,
  { owners, shares }: MessageBody<'masking-reveal'>,
  add: (kind: ShareKind, owner: OrganisationId, holder: OrganisationId) => void,
): void {
  const members = membersSeenBy(world, from)
  const holder = members.findIndex(({ organisation }) => organisation === from)
  const roster = rosterOf(world.context, members).digest
  owners.forEach((i, at) => {
    const owner = members[i]?.organisation ?? from
    const dealt = world.sent.find((one) => one.message === 'masking-shares' && one.from === owner)
    if (dealt === undefined) return
    const { neighbours, commitments } = dealt.body as MessageBody<'masking-shares'>
    const position = i === holder ? 1 : neighbours.indexOf(holder) + 2
    for (const kind of ['mask', 'self'] as const) {
      const digest = shareDigest(roster, kind, i, position, shares.slice(64 * at, 64 * at + 64))
      const committed = 128 * (position - 1) + (kind === 'mask' ? 0 : 64)
      if (digest === commitments.slice(committed, committed + 64)) add(kind, owner, from)
    }
  })
}

function membersSeenBy(world: World, name: OrganisationId) {
  return world.clientLogs.get(name)?.flatMap((event) => (event.type === 'roster' ? [event.members] : []))[0] ?? []
}

function thresholdOf(world: World, owner: OrganisationId): number {
  const members = membersSeenBy(world, owner)
  return members.length === 0 ? Number.POSITIVE_INFINITY : rosterOf(world.context, members).plan.threshold
}

function connected(
  names: readonly OrganisationId[],
  ties: (name: OrganisationId) => readonly OrganisationId[],
): OrganisationId[][] {
  const left = new Set(names)
  const parts: OrganisationId[][] = []
  for (const first of names) {
    if (!left.delete(first)) continue
    const part = [first]
    for (const name of part) for (const other of ties(name)) if (left.delete(other)) part.push(other)
    parts.push(part.sort())
  }
  return parts
}
