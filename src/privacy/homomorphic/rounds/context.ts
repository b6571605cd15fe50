/**
 * What a round under encryption is about, and the statements that its participants sign. Everything is bound to the digest
 * of the context: nothing of one round is of use in another.
 */

import { canonicalBytes } from '../../../base/canonical.ts'
import { fail } from '../../../base/errors.ts'
import { digestOf } from '../../../base/hash.ts'
import type { Digest, FederationId, OrganisationId, RoundId } from '../../../base/ids.ts'
import { type SecretKey, type Signature, sign, verify } from '../../../base/signature.ts'
import { type Invited, requireSorted } from '../../masking/context.ts'
import { type MaskingPolicy, planFor } from '../../masking/plan.ts'
import type { SchemeKind } from '../scheme.ts'
import type { Contribution, Join } from './messages.ts'

export interface EncryptionContext {
  readonly federation: FederationId
  readonly round: RoundId
  /** Of what everybody in the sum was asked for: no signature made for one task counts in another. */
  readonly task: Digest
  /** Sorted by organisation, with identity keys as the receiver's own registry has them. */
  readonly invited: readonly Invited[]
  readonly scheme: SchemeKind
  /** Of the public parameters that each organisation holds since the key ceremony. */
  readonly parameters: Digest
  /** Partial decryptions that open a sum. */
  readonly threshold: number
  readonly levels: number
  /** Coordinates of an update. */
  readonly length: number
  /** Bytes of an encrypted update. */
  readonly vectorBytes: number
  /** The largest absolute value of a coordinate. */
  readonly clip: number
  readonly weightMax: number
  /** How many may be corrupt: the quorum follows from it, as in secure aggregation. */
  readonly policy: MaskingPolicy
}

/** What is signed. The members of each kind differ, so none can be taken for another. */
export type Statement =
  | {
      readonly statement: 'weight'
      readonly context: Digest
      readonly organisation: OrganisationId
      readonly weight: number
    }
  | {
      readonly statement: 'contribution'
      readonly roster: Digest
      readonly organisation: OrganisationId
      readonly vector: Digest
    }
  /** "This sum, of these contributions and no others, may be opened; I sign no other in this round." */
  | { readonly statement: 'opening'; readonly roster: Digest; readonly list: Digest; readonly sum: Digest }

export function signStatement(statement: Statement, secret: SecretKey): Signature {
  return sign('encryption', canonicalBytes(statement), secret)
}

/** @throws not-a-participant, signature-invalid */
export function requireSigned(
  { invited }: EncryptionContext,
  organisation: OrganisationId,
  statement: Statement,
  signature: Signature,
): void {
  const member = invited.find((one) => one.organisation === organisation)
  if (member === undefined) fail('not-a-participant', `${organisation} was not invited to this round`)
  if (!verify('encryption', canonicalBytes(statement), signature, member.publicKey))
    fail('signature-invalid', `${organisation} has not signed its ${statement.statement} for this round`)
}

/** @throws invalid-request for a list that is not sorted or names somebody twice */
export function contextDigest(context: EncryptionContext): Digest {
  requireSorted(context.invited.map(({ organisation }) => organisation))
  return digestOf(context)
}

export function weightStatement(
  context: EncryptionContext,
  { organisation, weight }: Omit<Join, 'signature'>,
): Statement {
  return { statement: 'weight', context: contextDigest(context), organisation, weight }
}

/** Who takes part with which weight: what every contribution is made for. */
export interface Roster {
  readonly digest: Digest
  readonly members: readonly Join[]
  /** The largest weight: coordinates are scaled by it. */
  readonly weightMax: number
}

/** @throws sample-count-invalid, signature-invalid, not-a-participant, and forbidden when they are too few */
export function rosterOf(context: EncryptionContext, members: readonly Join[]): Roster {
  requireSorted(members.map(({ organisation }) => organisation))
  for (const join of members) checkJoin(context, join)
  requireQuorum(context, members.length)
  const signed = members.map(({ organisation, weight }) => ({ organisation, weight }))
  return {
    digest: digestOf({ context: contextDigest(context), members: signed }),
    members,
    weightMax: Math.max(...members.map(({ weight }) => weight)),
  }
}

/** What hub and participants alike know of how updates were hidden: for the records of stages in a block. */
export interface EncryptedFacts {
  readonly scheme: SchemeKind
  readonly parameters: Digest
  readonly threshold: number
  readonly quorum: number
  readonly invited: number
  readonly joined: number
  readonly length: number
  readonly vectorBytes: number
  /** Opened sums are integers of 32 bits, with the scale of masking/quantise.ts. */
  readonly width: 32
  readonly levels: number
  readonly clip: number
  readonly weightMax: number
}

export function encryptedFacts(context: EncryptionContext, roster: Roster): EncryptedFacts {
  const { scheme, parameters, threshold, length, vectorBytes, levels, clip } = context
  const joined = roster.members.length
  const quorum = requireQuorum(context, joined)
  const { weightMax } = roster
  const invited = context.invited.length
  return {
    scheme,
    parameters,
    threshold,
    quorum,
    invited,
    joined,
    length,
    vectorBytes,
    width: 32,
    levels,
    clip,
    weightMax,
  }
}

/** @throws sample-count-invalid, signature-invalid, not-a-participant */
export function checkJoin(context: EncryptionContext, join: Join): void {
  if (join.weight > context.weightMax)
    fail('sample-count-invalid', `${join.organisation} claims a weight beyond ${context.weightMax}`)
  requireSigned(context, join.organisation, weightStatement(context, join), join.signature)
}

/**
 * Signatures that a list needs, and so the least number of contributions: two lists with so many share an honest signer,
 * and honest participants sign one (masking/plan.ts), as long as fewer than 2 quorum - invited are corrupt. With so many the
 * hub has two lists opened, and their difference (two-lists.test.ts). @throws forbidden when so few cannot be hidden among each other
 */
export function requireQuorum({ invited, policy, threshold }: EncryptionContext, present: number): number {
  const { quorum } = planFor(invited.length, present, policy)
  if (present < threshold) fail('forbidden', `${present} organisations cannot open a sum: it takes ${threshold}`)
  return quorum
}

/** @throws signature-invalid, not-a-participant */
export function checkContribution(context: EncryptionContext, roster: Roster, contribution: Contribution): void {
  const { organisation, vector, signature } = contribution
  if (!roster.members.some((member) => member.organisation === organisation))
    fail('not-a-participant', `${organisation} is not in the roster`)
  const statement = { statement: 'contribution', roster: roster.digest, organisation, vector } as const
  requireSigned(context, organisation, statement, signature)
}

/** Who contributes to which roster: what an encryption, and its proof, is for. */
export function contributionPurpose(roster: Roster, organisation: OrganisationId): Digest {
  return digestOf({ purpose: 'contribution', roster: roster.digest, organisation })
}

export function openingStatement(
  roster: Roster,
  contributions: readonly Pick<Contribution, 'organisation' | 'vector'>[],
  sum: Digest,
): Extract<Statement, { statement: 'opening' }> {
  const list = digestOf(contributions.map(({ organisation, vector }) => ({ organisation, vector })))
  return { statement: 'opening', roster: roster.digest, list, sum }
}
