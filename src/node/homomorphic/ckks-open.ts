/** Opening sums under CKKS: noise, rounding, and who says otherwise. */

import { concatBytes, fromHex, toHex } from '../../base/bytes.ts'
import { EntenteError } from '../../base/errors.ts'
import { sha256Hex } from '../../base/hash.ts'
import type { Digest } from '../../base/ids.ts'
import { createNoiseTable } from '../../privacy/dp/table.ts'
import { type Container, decodeContainer, encodeContainer, malformed } from '../../privacy/homomorphic/container.ts'
import type { Combination, PartialDecryption } from '../../privacy/homomorphic/scheme.ts'
import { seededBytes } from '../../privacy/masking/keystream.ts'
import { CKKS_SETS, type CkksKey, type CkksSet, readCkksShare, RING_DEGREE } from './ckks-parameters.ts'
import type { Seal } from './seal.ts'

/** Standard deviation of the noise before rounding: one half lies 16 deviations away. */
const FLOOD_DEVIATION = 2 ** -5
/** The noise is drawn on a grid, as integers: floating-point noise tells by its lowest bits (Mironov 2012). */
const FLOOD_GRID = 2 ** -14

/** How many bits the noise is larger than the error of a sum of so many fresh encryptions, in one slot. */
export function floodBits(set: CkksSet, contributions: number): number {
  // An encryption error e_0 + u e + s e_1 with ternary u and s and errors of deviation 3.2 in each of N coefficients.
  const coefficient = 3.2 * Math.sqrt(1 + (4 / 3) * RING_DEGREE) * Math.sqrt(contributions)
  const slot = (coefficient * Math.sqrt(RING_DEGREE)) / 2 ** CKKS_SETS[set].scaleBits
  return Math.log2(FLOOD_DEVIATION / slot)
}

export interface Shared {
  readonly key: CkksKey
  readonly seal: Seal
}

export function readVector({ key, seal }: Shared, bytes: Uint8Array): Container {
  const vector = decodeContainer(bytes, 'vector', key.digest)
  const sound = vector.payload.length === Math.ceil(vector.length / seal.slots) * seal.ciphertextBytes
  if (!sound || vector.number > key.source.contributionsMax)
    malformed('wrong-length', 'coordinates, contributions and bytes of the vector do not belong together')
  return vector
}

export function ciphertextsOf({ seal }: Shared, { payload }: Container): Uint8Array[] {
  const { ciphertextBytes } = seal
  const count = payload.length / ciphertextBytes
  return Array.from({ length: count }, (_, i) => payload.subarray(i * ciphertextBytes, (i + 1) * ciphertextBytes))
}

interface Giving {
  readonly sum: Uint8Array
  readonly share: unknown
  readonly statement: Digest
  readonly seed: Uint8Array
}

/** What the sum and the statement are, by digest, and the rounded integers. */
export function decrypt(shared: Shared, { sum, share, statement, seed }: Giving): Uint8Array {
  const { key, seal } = shared
  const vector = readVector(shared, sum)
  const { index, secretKey } = readCkksShare(share, key)
  const integers = new Int32Array(vector.length)
  const noise = new Int32Array(vector.length)
  const deviation = BigInt(FLOOD_DEVIATION / FLOOD_GRID)
  createNoiseTable({ numerator: deviation ** 2n, denominator: 1n }).draw(noise, seededBytes(seed, 'flooding'))
  let first = 0
  seal.decrypt(secretKey, ciphertextsOf(shared, vector), (values) => {
    for (let i = first; i < Math.min(first + seal.slots, integers.length); i++)
      integers[i] = Math.round((values[i - first] ?? 0) + (noise[i] ?? 0) * FLOOD_GRID)
    first += seal.slots
  })
  secretKey.fill(0)
  const payload = concatBytes(aboutOf(sum, statement), new Uint8Array(integers.buffer))
  return encodeContainer({ kind: 'partial', parameters: key.digest, length: vector.length, number: index, payload })
}

const aboutOf = (sum: Uint8Array, statement: Digest): Uint8Array => fromHex(sha256Hex(sum) + statement) as Uint8Array

export function combine(
  shared: Shared,
  sum: Uint8Array,
  partials: readonly PartialDecryption[],
  statement: Digest,
): Combination {
  const { organisations, threshold, levels } = shared.key.source
  const vector = readVector(shared, sum)
  const about = toHex(aboutOf(sum, statement))
  const byContent = new Map<string, Map<PartialDecryption['organisation'], Uint8Array>>()
  for (const { organisation, bytes } of partials) {
    const integers = integersIn(shared, bytes, { vector, about, index: organisations.indexOf(organisation) + 1 })
    const content = integers === undefined ? '' : sha256Hex(integers)
    const agreeing = byContent.get(content) ?? new Map<PartialDecryption['organisation'], Uint8Array>()
    byContent.set(content, agreeing.set(organisation, integers ?? new Uint8Array(0)))
  }
  const agreed = [...byContent].filter(([content, who]) => content !== '' && who.size >= threshold)
  const [content, who] = agreed.length === 1 ? (agreed[0] ?? []) : []
  const malformedOnes = [...(byContent.get('')?.keys() ?? [])]
  if (who === undefined) return { opened: false, reason: 'too-few-shares', blamed: malformedOnes }
  const blamed = [...byContent].flatMap(([other, liars]) => (other === content ? [] : [...liars.keys()]))
  const [integers = new Uint8Array(0)] = who.values()
  const sums = Float64Array.from(new Int32Array(integers.slice().buffer))
  const bound = levels * vector.number
  if (sums.some((value) => Math.abs(value) > bound)) return { opened: false, reason: 'overflow', blamed }
  return { opened: true, sums, used: [...who.keys()].slice(0, threshold), blamed }
}

interface Expected {
  readonly vector: Container
  readonly about: string
  readonly index: number
}

/** Undefined for whatever is no partial decryption of this sum by this organisation. */
function integersIn({ key }: Shared, bytes: Uint8Array, { vector, about, index }: Expected): Uint8Array | undefined {
  try {
    const { length, number, payload } = decodeContainer(bytes, 'partial', key.digest)
    const sound = length === vector.length && number === index && payload.length === 64 + 4 * length
    return sound && toHex(payload.subarray(0, 64)) === about ? payload.subarray(64) : undefined
  } catch (error) {
    if (error instanceof EntenteError) return undefined
    throw error
  }
}
