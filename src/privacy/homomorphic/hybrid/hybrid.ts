/**
 * Threshold Paillier for long vectors: each contribution draws a key of a cipher that adds keys (cipher.ts), hides its vector
 * under it, and encrypts that key by Paillier. Organisations open the sum of the keys, which opens the sum of the vectors
 * and nothing else (Bell-Clark and others 2024, Willow). Opening costs the same for any length.
 *
 * 1. Fewer than `threshold` shares open nothing, as in paillier.ts, as long as learning with errors over rings is hard.
 * 2. A partial decryption is bound to the whole sum, not to the encrypted key alone; who gives a wrong one is named.
 * 3. The sum is exact: errors are bounded by construction; a sum beyond its bounds opens nothing.
 */

import { fail } from '../../../base/errors.ts'
import type { Digest } from '../../../base/ids.ts'
import { seededBytes } from '../../masking/keystream.ts'
import { HEADER_BYTES } from '../container.ts'
import { paillierScheme } from '../paillier/paillier.ts'
import type { Combination, HomomorphicScheme, PartialDecryption } from '../scheme.ts'
import { drawKey } from './cipher.ts'
import { addCoefficients } from './coefficients.ts'
import { DEGREE } from './modulus.ts'
import type { HybridKey } from './parameters.ts'
import { boundTo, checked, type Hybrid, type HybridMeans, read, spread, wrap } from './vectors.ts'

export function hybridScheme(key: HybridKey, means: HybridMeans): HomomorphicScheme {
  const inner = paillierScheme(key.inner, means)
  const hybrid = { key, means, inner }
  const { organisations, threshold, contributionsMax } = inner
  return {
    kind: 'paillier',
    parameters: key.digest,
    errorMax: 0,
    organisations,
    threshold,
    levels: key.ring.levels,
    contributionsMax,
    vectorBytes: (length) => HEADER_BYTES + inner.vectorBytes(DEGREE) + length * key.ring.bytes,
    encrypt: (values, seed, statement) => encrypt(hybrid, { values, seed, statement }),
    async check(vector, statement) {
      const parts = await checked(hybrid, vector, statement)
      return { length: parts.length, contributions: parts.number }
    },
    add: (vectors) => add(hybrid, vectors),
    async partialDecrypt(sum, share, statement, seed) {
      const parts = await checked(hybrid, sum)
      return inner.partialDecrypt(parts.key, share, boundTo(sum, statement), seed)
    },
    combine: (sum, partials, statement) => combine(hybrid, sum, partials, statement),
  }
}

interface Contribution {
  readonly values: Int32Array
  readonly seed: Uint8Array
  readonly statement: Digest | undefined
}

async function encrypt(hybrid: Hybrid, { values, seed, statement }: Contribution): Promise<Uint8Array> {
  if (seed.length !== 32) fail('invalid-request', 'a seed has 32 random bytes')
  if (values.length === 0) fail('wrong-shape', 'there is nothing to encrypt')
  const { levels } = hybrid.key.ring
  if (values.some((value) => value > levels || value < -levels))
    fail('wrong-shape', `a value is not an integer of at most ${levels}`)
  const drawn = (label: string): Uint8Array => seededBytes(seed, label)(32)
  const key = drawKey(drawn('key'))
  const errors = drawn('errors')
  const encrypted = await hybrid.inner.encrypt(key, drawn('encryption of the key'), statement)
  const cipher = await spread(hybrid, values.length, (from, to, first) => ({
    type: 'cover',
    values: values.subarray(from, to),
    key,
    seed: errors,
    first,
  }))
  key.fill(0)
  return wrap(hybrid, { length: values.length, number: 1, key: encrypted, cipher })
}

async function add(hybrid: Hybrid, vectors: readonly Uint8Array[]): Promise<Uint8Array> {
  const parts = vectors.map((vector) => read(hybrid, vector))
  const length = parts[0]?.length ?? fail('invalid-request', 'there is nothing to add')
  if (parts.some((one) => one.length !== length)) fail('wrong-shape', 'vectors of different lengths cannot be added')
  const number = parts.reduce((sum, one) => sum + one.number, 0)
  const key = await hybrid.inner.add(parts.map((one) => one.key))
  const ciphers = parts.map(({ cipher }) => cipher)
  return wrap(hybrid, { length, number, key, cipher: addCoefficients(ciphers, hybrid.key.ring) })
}

async function combine(
  hybrid: Hybrid,
  sum: Uint8Array,
  partials: readonly PartialDecryption[],
  statement: Digest,
): Promise<Combination> {
  const { length, number, key: encrypted, cipher } = await checked(hybrid, sum)
  const opened = await hybrid.inner.combine(encrypted, partials, boundTo(sum, statement))
  if (!opened.opened) return opened
  const key = Int32Array.from(opened.sums)
  const { bytes } = hybrid.key.ring
  const words = await spread(hybrid, length, (from, to, first) => ({
    type: 'uncover',
    cipher: cipher.subarray(from * bytes, to * bytes),
    key,
    first,
    contributions: number,
  }))
  if (words.length === 0) return { opened: false, reason: 'overflow', blamed: opened.blamed }
  return { ...opened, sums: Float64Array.from(new Int32Array(words.buffer)) }
}
