/**
 * Additively homomorphic encryption with shared keys: one interface, two implementations (threshold Paillier here, CKKS in
 * src/node/homomorphic), one suite of claims for both (scheme.suite.ts).
 *
 *   deal -> parameters for everybody, one share for each organisation
 *   encrypt -> one contribution;  add -> the sum of contributions
 *   partialDecrypt -> what one organisation gives of a sum;  combine -> the sum in the clear
 *
 * Vectors of ciphertexts and partial decryptions are bytes (container.ts), parameters and shares are JSON.
 */

import type { Digest, OrganisationId } from '../../base/ids.ts'

export type SchemeKind = 'paillier' | 'ckks'

/** What is encrypted: integers of at most `levels` in absolute value, of at most `contributionsMax` organisations. */
export interface ValueBounds {
  readonly levels: number
  readonly contributionsMax: number
}

export interface DealRequest extends ValueBounds {
  /** Sorted. Each gets one share. */
  readonly organisations: readonly OrganisationId[]
  /** Organisations that must take part in opening a sum. */
  readonly threshold: number
}

/** The outcome of the key ceremony, as JSON. Whoever deals has seen everything: see docs/reference/homomorphic.md. */
export interface Dealt {
  readonly parameters: unknown
  /** Secret, in the order of the organisations. */
  readonly shares: readonly { readonly organisation: OrganisationId; readonly share: unknown }[]
}

export interface PartialDecryption {
  /** Who gave it, as its envelope says. */
  readonly organisation: OrganisationId
  readonly bytes: Uint8Array
}

export type NotOpened =
  /** Fewer than `threshold` partial decryptions are right. */
  | 'too-few-shares'
  /** Some contribution held a value beyond its bounds: the sum is not that of honest integers. */
  | 'overflow'

export type Combination =
  | {
      readonly opened: true
      /** Sum of the integers, off by at most `errorMax`. */
      readonly sums: Float64Array
      /** Whose partial decryptions opened it. */
      readonly used: readonly OrganisationId[]
      /** Whose partial decryptions are wrong. */
      readonly blamed: readonly OrganisationId[]
    }
  | { readonly opened: false; readonly reason: NotOpened; readonly blamed: readonly OrganisationId[] }

export interface HomomorphicScheme extends DealRequest {
  readonly kind: SchemeKind
  /** Names the public parameters; is inside every vector, share and partial decryption. */
  readonly parameters: Digest
  /** Largest distance between an opened coordinate and the sum of the integers; 0 = exact. */
  readonly errorMax: number
  /** Bytes of a contribution of so many coordinates. */
  vectorBytes(length: number): number
  /**
   * @param values integers within `levels`
   * @param seed 32 random bytes, used once
   * @param statement who contributes it to what: under Paillier the vector then carries a proof that its maker knows the
   * integers, worth nothing for anything else
   * @throws wrong-shape for a value beyond `levels`
   */
  encrypt(values: Int32Array, seed: Uint8Array, statement?: Digest): Promise<Uint8Array>
  /**
   * Coordinates and contributions of a vector, after checking all of it.
   * @param statement of a contribution: its proof must be for that
   * @throws input-invalid with details.reason
   */
  check(vector: Uint8Array, statement?: Digest): Promise<VectorFacts>
  /** The same bytes for the same vectors in any order. @throws input-invalid; wrong-shape for vectors of other lengths */
  add(vectors: readonly Uint8Array[]): Promise<Uint8Array>
  /**
   * @param share as dealt; @param statement what the decryption is for: it convinces nobody of anything else
   * @param seed 32 random bytes, used once
   * @throws input-invalid
   */
  partialDecrypt(sum: Uint8Array, share: unknown, statement: Digest, seed: Uint8Array): Promise<Uint8Array>
  /** Never throws for what an organisation may have sent: it is named. @throws input-invalid for the sum */
  combine(sum: Uint8Array, partials: readonly PartialDecryption[], statement: Digest): Promise<Combination>
}

export interface VectorFacts {
  readonly length: number
  readonly contributions: number
}

/** Cryptographically secure bytes, as many as asked for. */
export type RandomBytes = (length: number) => Uint8Array
