/** An update as an organisation contributes it under encryption: clipped, weighted, rounded to integers, encrypted. */

import { keystream } from '../../privacy/masking/keystream.ts'
import { quantise } from '../../privacy/masking/quantise.ts'
import { integersOf, scaleOf } from '../../privacy/homomorphic/packing.ts'
import type { HomomorphicScheme } from '../../privacy/homomorphic/scheme.ts'
import type { Random } from '../ports.ts'

export interface UpdateToEncrypt {
  readonly update: Float32Array
  /** Largest absolute value of a coordinate. */
  readonly clip: number
  readonly weight: number
  readonly weightMax: number
}

export interface EncryptedUpdate {
  readonly vector: Uint8Array
  /** Coordinates beyond the clip bound. */
  readonly clipped: number
}

/** @throws not-finite, sample-count-invalid, invalid-request */
export async function encryptUpdate(
  scheme: HomomorphicScheme,
  { update, clip, weight, weightMax }: UpdateToEncrypt,
  random: Random,
): Promise<EncryptedUpdate> {
  const scale = scaleOf(scheme, clip, weightMax)
  const { words, clipped } = quantise(update, weight, scale, keystream(random.bytes(32)))
  return { vector: await scheme.encrypt(integersOf(words), random.bytes(32)), clipped }
}
