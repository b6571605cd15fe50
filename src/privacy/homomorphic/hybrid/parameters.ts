/**
 * Parameter files of version 2 of threshold Paillier: vectors go under a cipher that adds keys (cipher.ts), and what Paillier
 * encrypts is the key. The member `key` is a file of version 1; shares are those of that.
 */

import { z } from 'zod'
import { fromHex } from '../../../base/bytes.ts'
import { fail } from '../../../base/errors.ts'
import { digestOf } from '../../../base/hash.ts'
import type { Digest } from '../../../base/ids.ts'
import { type PaillierKey, readParameters } from '../paillier/parameters.ts'
import type { ValueBounds } from '../scheme.ts'
import { createRing, NOISE_VARIANCE, noiseMax, type Ring, ringPrimes } from './cipher.ts'
import { DEGREE } from './modulus.ts'

export const HYBRID_FORMAT = 'entente-paillier-parameters-2'

const ringSchema = z.strictObject({
  degree: z.literal(DEGREE),
  primes: z.tuple([z.int(), z.int()]),
  /** Of keys and errors. */
  variance: z.literal(NOISE_VARIANCE),
})
const parametersSchema = z.strictObject({
  format: z.literal(HYBRID_FORMAT),
  key: z.unknown(),
  ring: ringSchema,
  /** Largest integer in absolute value that a coordinate of a vector is. */
  levels: z.int().min(1),
})

export interface HybridKey {
  readonly digest: Digest
  readonly domain: Uint8Array
  /** Under which the keys of the ring are encrypted. */
  readonly inner: PaillierKey
  readonly ring: Ring
}

function refuse(what: string): never {
  fail('input-invalid', `the parameters of Paillier ${what}`, { reason: 'wrong-parameters' })
}

/** What Paillier must have slots for: a key of each contribution. */
export function keyBounds({ contributionsMax }: ValueBounds): ValueBounds {
  return { levels: noiseMax(), contributionsMax }
}

/** The file around a dealt key of Paillier with the bounds of {@link keyBounds}. */
export function hybridParameters(key: unknown, bounds: ValueBounds): unknown {
  const ring = { degree: DEGREE, primes: ringPrimes(bounds), variance: NOISE_VARIANCE }
  return { format: HYBRID_FORMAT, key, ring, levels: bounds.levels }
}

/** @throws input-invalid for anything that dealing would not have written */
export function readHybridParameters(json: unknown): HybridKey {
  const parsed = parametersSchema.safeParse(json)
  if (!parsed.success) refuse(`are not of this version: ${parsed.error.issues[0]?.path.join('.') ?? ''}`)
  const { key, ring, levels } = parsed.data
  const inner = readParameters(key)
  const { contributionsMax } = inner.source
  if (inner.source.levels !== noiseMax()) refuse('have no room for the keys of the ring')
  if (levels * contributionsMax > 2 ** 31 - 1) refuse('allow sums of more than 31 bits')
  const due = ringPrimes({ levels, contributionsMax })
  if (due.some((prime, i) => ring.primes[i] !== prime)) refuse('name other primes than their bounds ask for')
  const digest = digestOf({ ...parsed.data, key: inner.source })
  const domain = fromHex(digest) ?? refuse('have no digest')
  return { digest, domain, inner, ring: createRing({ levels, contributionsMax }) }
}
