/** Vectors of version 2 as they travel: an encrypted key, and coefficients; and how their work is cut into ranges. */

import { canonicalBytes } from '../../../base/canonical.ts'
import { concatBytes } from '../../../base/bytes.ts'
import { sha256Hex } from '../../../base/hash.ts'
import type { Digest } from '../../../base/ids.ts'
import { decodeContainer, encodeContainer, HEADER_BYTES, malformed } from '../container.ts'
import { type Means, rangesOf } from '../paillier/vectors.ts'
import type { HomomorphicScheme } from '../scheme.ts'
import { requireCoefficients } from './coefficients.ts'
import type { HybridLanes, RingTask } from './engine.ts'
import { DEGREE } from './modulus.ts'
import type { HybridKey } from './parameters.ts'

export interface HybridMeans extends Means {
  readonly lanes: HybridLanes
}

export interface Parts {
  readonly length: number
  readonly number: number
  /** The key, or the sum of keys, encrypted: a vector of Paillier. */
  readonly key: Uint8Array
  readonly cipher: Uint8Array
}

/** What a scheme of version 2 works with. */
export interface Hybrid {
  readonly key: HybridKey
  readonly means: HybridMeans
  readonly inner: HomomorphicScheme
}

export function wrap({ key }: Hybrid, { length, number, key: encrypted, cipher }: Parts): Uint8Array {
  return encodeContainer({ kind: 'vector', parameters: key.digest, length, number, payload: encrypted }, cipher)
}

/** The parts of a vector, of which the elements are not yet checked. @throws input-invalid */
export function read({ key, inner }: Hybrid, vector: Uint8Array): Parts {
  const { length, number, payload } = decodeContainer(vector, 'vector', key.digest)
  // The encrypted key of a contribution has a proof behind it, that of a sum has none: it says itself how long it must be.
  const keyBytes = payload.length - length * key.ring.bytes
  if (keyBytes < HEADER_BYTES || keyBytes > inner.vectorBytes(DEGREE))
    malformed('wrong-length', `${length} coordinates and these bytes do not belong together`)
  return { length, number, key: payload.subarray(0, keyBytes), cipher: payload.subarray(keyBytes) }
}

/** @param statement of a contribution: who made it must prove to know its key. To know what opens it is to know what is in it. */
export async function checked(hybrid: Hybrid, vector: Uint8Array, statement?: Digest): Promise<Parts> {
  const parts = read(hybrid, vector)
  const facts = await hybrid.inner.check(parts.key, statement)
  if (facts.length !== DEGREE || facts.contributions !== parts.number)
    malformed('wrong-length', 'the encrypted key does not belong to this vector')
  requireCoefficients(parts.cipher, hybrid.key.ring)
  return parts
}

/** A proof about the sum of keys says for which sum of vectors it was made. */
export function boundTo(sum: Uint8Array, statement: Digest): Digest {
  return sha256Hex(canonicalBytes({ purpose: 'entente/paillier/hybrid/v2', statement, sum: sha256Hex(sum) }))
}

/** Runs a task on ranges of blocks and joins what they give; nothing, if one of them gives nothing. */
export async function spread(
  { means: { lanes } }: Hybrid,
  length: number,
  taskFor: (from: number, to: number, first: number) => RingTask,
): Promise<Uint8Array> {
  const parts = await Promise.all(
    rangesOf(Math.ceil(length / DEGREE), lanes.lanes).map(({ first, size }) =>
      lanes.run(taskFor(first * DEGREE, Math.min(length, (first + size) * DEGREE), first)),
    ),
  )
  return parts.some((part) => part.length === 0) ? new Uint8Array(0) : concatBytes(...parts)
}
