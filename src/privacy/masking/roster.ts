/** Who takes part, with which keys and weight: the outcome of Round 0, which hub and participants check alike. */

import { fromHex } from '../../base/bytes.ts'
import { fail } from '../../base/errors.ts'
import { digestOf } from '../../base/hash.ts'
import type { Digest, OrganisationId, RoundId } from '../../base/ids.ts'
import type { SecretKey } from '../../base/signature.ts'
import {
  contextDigest,
  type MaskingContext,
  requireSorted,
  signStatement,
  type Statement,
  verifyStatement,
} from './context.ts'
import type { AdvertisedKeys } from './messages.ts'
import { type MaskingPlan, planFor } from './plan.ts'
import { type Scale, scaleFor } from './quantise.ts'

export interface Roster {
  readonly round: RoundId
  /** Binds context, members, keys and weights. */
  readonly digest: Digest
  /** Sorted by organisation. */
  readonly members: readonly AdvertisedKeys[]
  readonly plan: MaskingPlan
  readonly scale: Scale
}

function keysStatement(context: Digest, keys: Omit<AdvertisedKeys, 'signature'>): Statement {
  const { organisation, boxKey, maskKey, weight } = keys
  return { statement: 'keys', context, organisation, boxKey, maskKey, weight }
}

export function advertise(
  context: MaskingContext,
  keys: Omit<AdvertisedKeys, 'signature'>,
  secret: SecretKey,
): AdvertisedKeys {
  return { ...keys, signature: signStatement(keysStatement(contextDigest(context), keys), secret) }
}

/**
 * Keys are good for nothing unless their owner signed them for this very context: a hub that makes up keys would read
 * every share. @throws not-a-participant, sample-count-invalid, signature-invalid
 */
export function checkKeys(context: MaskingContext, digest: Digest, keys: AdvertisedKeys): void {
  const invited = context.invited.find(({ organisation }) => organisation === keys.organisation)
  if (invited === undefined) fail('not-a-participant', `${keys.organisation} was not invited to this round`)
  if (!Number.isSafeInteger(keys.weight) || keys.weight < 1 || keys.weight > context.weightMax)
    fail('sample-count-invalid', `${keys.organisation} claims a weight outside 1 to ${context.weightMax}`)
  if (!verifyStatement(keysStatement(digest, keys), keys.signature, invited.publicKey))
    fail('signature-invalid', `the masking keys of ${keys.organisation} are not signed by it for this round`)
}

/**
 * Figure 4, Round 1 of Bonawitz et al. 2017: "assert that |U1| >= t, that all the public key pairs are different, and
 * that all signatures are valid".
 * @throws forbidden when they are too few, invalid-request, signature-invalid
 */
export function checkRoster(context: MaskingContext, members: readonly AdvertisedKeys[]): Roster {
  requireSorted(members.map(({ organisation }) => organisation))
  const digest = contextDigest(context)
  for (const member of members) checkKeys(context, digest, member)
  const keys = members.flatMap(({ boxKey, maskKey }) => [boxKey, maskKey])
  if (new Set(keys).size !== keys.length) fail('invalid-request', 'two keys of the roster are the same')
  return rosterOf(context, members)
}

/** The roster of members that have been checked. @throws forbidden when they are too few */
export function rosterOf(context: MaskingContext, members: readonly AdvertisedKeys[]): Roster {
  const plan = planFor(context.invited.length, members.length, context.policy)
  const weightMax = Math.max(...members.map(({ weight }) => weight))
  const signed = members.map(({ signature: _, ...keys }) => keys)
  return {
    round: context.round,
    digest: digestOf({ context: contextDigest(context), members: signed }),
    members,
    plan,
    scale: scaleFor(members.length, context.clip, weightMax, context.levels),
  }
}

/** What a roster makes of a round, for its record: the same at the hub and at every participant. */
export interface RosterFacts extends MaskingPlan, Scale {
  readonly invited: number
  readonly advertised: number
  /** Coordinates of a vector. */
  readonly length: number
}

export function rosterFacts({ invited, length }: MaskingContext, { members, plan, scale }: Roster): RosterFacts {
  return { invited: invited.length, advertised: members.length, length, ...plan, ...scale }
}

/** Index of each member. */
export function indexOf(roster: Roster): ReadonlyMap<OrganisationId, number> {
  return new Map(roster.members.map(({ organisation }, i) => [organisation, i]))
}

/** The salt of every key of the round. */
export function saltOf(roster: Roster): Uint8Array {
  return fromHex(roster.digest) as Uint8Array
}

/** Which of two members adds their common mask: the first; the second subtracts it. */
export function signFor(self: number, other: number): 1 | -1 {
  return self < other ? 1 : -1
}
