/**
 * The secret bits of one private training, from a seed of 32 bytes: AES-256-CTR, one half of the counters for the samples,
 * the other for the noise. The same seed gives the same training, so that a node that dies and repeats it sends no second
 * answer.
 */

import { createCipheriv } from 'node:crypto'
import { fail } from '../base/errors.ts'
import type { PrivateRandomness, PrivateTraining } from '../models/dp-sgd/private-training.ts'
import { type RandomBytes, uniformSource } from '../privacy/dp/bits.ts'
import { TABLE_DISTANCE_MAX } from '../privacy/dp/dp-sgd.ts'
import { createNoiseTable, type NoiseLaw, type NoiseTable } from '../privacy/dp/table.ts'
import type { PrivateRequest } from './training.ts'

/** One table at a time: all rounds of a training have the same, and it takes tenths of a second to make. */
let kept: { readonly deviation: number; readonly law: NoiseLaw; readonly table: NoiseTable } | undefined

/** @throws invalid-request for a deviation beyond the tables; internal if it is not as exact as accounted for */
export function noiseTable(deviation: number, law: NoiseLaw = 'discrete-gaussian'): NoiseTable {
  if (kept?.deviation !== deviation || kept.law !== law) {
    const variance = { numerator: BigInt(deviation) ** 2n, denominator: 1n }
    const table = createNoiseTable(variance, law)
    if (table.distance > TABLE_DISTANCE_MAX) fail('internal', 'the noise table is not as exact as accounted for')
    kept = { deviation, law, table }
  }
  return kept.table
}

/** What a model is told of a private training that a trainer was asked for; nothing if it was not. */
export function privateOptions(request: PrivateRequest | undefined): { privately?: PrivateTraining } {
  if (request === undefined) return {}
  const { secret, rowsPerHost: _, ...training } = request
  return { privately: { ...training, random: privateRandomness(secret) } }
}

/** The seed is good for one training. */
export function privateRandomness(seed: Uint8Array): PrivateRandomness {
  const samples = uniformSource(keyStream(seed, 0))
  const noise = keyStream(seed, 0x80)
  return { u32: samples.u32, drawNoise: (deviation, out) => noiseTable(deviation).draw(out, noise) }
}

function keyStream(seed: Uint8Array, half: number): RandomBytes {
  const counter = new Uint8Array(16)
  counter[0] = half
  const stream = createCipheriv('aes-256-ctr', seed, counter)
  return (length) => stream.update(new Uint8Array(length))
}
