/**
 * What a round of secure aggregation is about, and the statements that its participants sign. Every signature and every
 * derived key is bound to the digest of this context: nothing of one round is of use in another.
 */

import { canonicalBytes } from '../../base/canonical.ts'
import { fail } from '../../base/errors.ts'
import { digestOf } from '../../base/hash.ts'
import type { Digest, FederationId, OrganisationId, RoundId } from '../../base/ids.ts'
import { type PublicKey, type SecretKey, type Signature, sign, verify } from '../../base/signature.ts'
import type { MaskingPolicy } from './plan.ts'

export interface Invited {
  readonly organisation: OrganisationId
  /** The identity key, as the receiver's own registry has it: never as the hub says. */
  readonly publicKey: PublicKey
}

export interface MaskingContext {
  readonly federation: FederationId
  readonly round: RoundId
  /** Of what everybody in the sum was asked for: two who were asked for different things have no keys for each other. */
  readonly task: Digest
  /** Sorted by organisation. */
  readonly invited: readonly Invited[]
  /** Coordinates of an update. */
  readonly length: number
  /** The largest absolute value of a coordinate. */
  readonly clip: number
  /** Updates are whole multiples of clip / levels, and are summed as they are; absent = they are rounded. */
  readonly levels?: number
  /** The largest weight that a participant may claim. */
  readonly weightMax: number
  readonly policy: MaskingPolicy
}

/** @throws invalid-request for a list that is not sorted or names somebody twice */
export function contextDigest(context: MaskingContext): Digest {
  requireSorted(context.invited.map(({ organisation }) => organisation))
  return digestOf(context)
}

export function requireSorted(names: readonly string[]): void {
  for (let i = 1; i < names.length; i++)
    if (!((names[i - 1] ?? '') < (names[i] ?? '')))
      fail('invalid-request', `"${names[i] ?? ''}" is named twice or out of order`)
}

/** What is signed. The members of each kind differ, so none can be taken for another. */
export type Statement =
  | {
      readonly statement: 'keys'
      readonly context: Digest
      readonly organisation: OrganisationId
      readonly boxKey: string
      readonly maskKey: string
      readonly weight: number
    }
  /** "My vector with this digest has masks for everybody who shared, by this list." */
  | {
      readonly statement: 'masked'
      readonly roster: Digest
      readonly sharers: Digest
      readonly organisation: OrganisationId
      readonly vector: Digest
    }
  /** "These, and no others, survived; I sign no other list in this round." */
  | {
      readonly statement: 'survivors'
      readonly roster: Digest
      readonly sharers: Digest
      readonly survivors: Digest
    }

export function signStatement(statement: Statement, secret: SecretKey): Signature {
  return sign('masking', canonicalBytes(statement), secret)
}

export function verifyStatement(statement: Statement, signature: Signature, publicKey: PublicKey): boolean {
  return verify('masking', canonicalBytes(statement), signature, publicKey)
}
