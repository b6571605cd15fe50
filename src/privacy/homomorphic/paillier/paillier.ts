/**
 * Packed threshold Paillier behind the interface of homomorphic encryption: Damgard and Jurik 2001, "A Generalisation, a
 * Simplification and Some Applications of Paillier's Probabilistic Public-Key System", sections 3 and 4.1 with s = 1.
 *
 * 1. Nobody holds the key: fewer than `threshold` shares open nothing (DJ 2001, section 4.1, in the random oracle model).
 * 2. A partial decryption is used only if its proof convinces; who gave another is named.
 * 3. The sum is exact: slots have head-room for all contributions, and one that overflows opens nothing.
 * 4. Who contributes proves to know what, for this one purpose: nobody's ciphertexts get into another's contribution.
 * 5. Bytes from outside are checked before anything is computed with them.
 */

import { concatBytes } from '../../../base/bytes.ts'
import { fail } from '../../../base/errors.ts'
import { type Container, HEADER_BYTES, malformed } from '../container.ts'
import { inverse } from '../numbers.ts'
import { plaintextsFor } from '../packing.ts'
import type { Digest } from '../../../base/ids.ts'
import type { Combination, HomomorphicScheme, PartialDecryption, VectorFacts } from '../scheme.ts'
import { proveKnowledge, verifyKnowledge } from './knowledge.ts'
import { knowledgeBytes } from './knowledge-size.ts'
import { interpolate } from './lagrange.ts'
import type { PaillierKey } from './parameters.ts'
import { checkPartial, givePartial, type Received } from './partial.ts'
import { type Means, rangesOf, readVector, requireRoom, spread, type Vector, wrapVector } from './vectors.ts'

export function paillierScheme(key: PaillierKey, means: Means): HomomorphicScheme {
  const { organisations, threshold, levels, contributionsMax } = key.source
  return {
    kind: 'paillier',
    parameters: key.digest,
    errorMax: 0,
    organisations,
    threshold,
    levels,
    contributionsMax,
    vectorBytes: (length) => HEADER_BYTES + plaintextsFor(length, key.packing) * key.elementBytes + knowledgeBytes(key),
    encrypt: (values, seed, statement) => encrypt(key, means, { values, seed, statement }),
    check: async (bytes, statement) => check(key, means, readVector(key, bytes), statement),
    add: (vectors) => add(key, means, vectors),
    partialDecrypt: (sum, share, statement, seed) => givePartial(key, means, { sum, share, statement, seed }),
    async combine(sum, partials, statement) {
      const vector = readVector(key, sum)
      return combine(key, means, vector, { sum, vector, statement }, partials)
    },
  }
}

interface Contribution {
  readonly values: Int32Array
  readonly seed: Uint8Array
  readonly statement: Digest | undefined
}

async function encrypt(key: PaillierKey, means: Means, { values, seed, statement }: Contribution): Promise<Uint8Array> {
  if (seed.length !== 32) fail('invalid-request', 'a seed has 32 random bytes')
  if (values.length === 0) fail('wrong-shape', 'there is nothing to encrypt')
  const { lanes } = means
  const { perPlaintext } = key.packing
  const parts = rangesOf(plaintextsFor(values.length, key.packing), lanes.lanes).map(({ first, size }) => {
    const part = values.slice(first * perPlaintext, (first + size) * perPlaintext)
    return lanes.run({ type: 'encrypt', values: part, seed, first })
  })
  const elements = concatBytes(...(await Promise.all(parts)))
  const proof =
    statement === undefined
      ? new Uint8Array(0)
      : await proveKnowledge(key, means, { elements, statement }, { values, seed })
  return wrapVector(key, { length: values.length, number: 1, payload: concatBytes(elements, proof) })
}

async function check(
  key: PaillierKey,
  means: Means,
  { payload: elements, proof, length, number }: Vector,
  statement: Digest | undefined,
): Promise<VectorFacts> {
  if (statement === undefined) await spread(key, means, elements, (vector) => ({ type: 'check', vector }))
  else if (number !== 1 || !(await verifyKnowledge(key, means, { elements, statement }, proof)))
    malformed('not-proved', 'who contributes this does not prove to know what is in it')
  return { length, contributions: number }
}

async function add(key: PaillierKey, means: Means, vectors: readonly Uint8Array[]): Promise<Uint8Array> {
  const read = vectors.map((vector) => readVector(key, vector))
  const [first] = read
  if (first === undefined) fail('invalid-request', 'there is nothing to add')
  if (read.some(({ length }) => length !== first.length))
    fail('wrong-shape', 'vectors of different lengths cannot be added')
  const number = read.reduce((sum, one) => sum + one.number, 0)
  requireRoom(key, number)
  const payload = await spread(key, means, first.payload, (part, range) => {
    const from = range.first * key.elementBytes
    return { type: 'add', vectors: read.map((one) => one.payload.subarray(from, from + part.length)) }
  })
  return wrapVector(key, { length: first.length, number, payload })
}

interface Proved {
  readonly index: number
  readonly elements: Uint8Array
}

async function combine(
  key: PaillierKey,
  means: Means,
  vector: Container,
  about: Pick<Received, 'sum' | 'vector' | 'statement'>,
  partials: readonly PartialDecryption[],
): Promise<Combination> {
  const { organisations, threshold } = key.source
  const proved: Proved[] = []
  const blamed: PartialDecryption['organisation'][] = []
  for (const { organisation, bytes } of partials) {
    const index = organisations.indexOf(organisation) + 1
    if (proved.some((one) => one.index === index)) continue
    const elements = index === 0 ? undefined : await checkPartial(key, means, { ...about, bytes, index })
    if (elements === undefined) blamed.push(organisation)
    else proved.push({ index, elements })
  }
  const chosen = proved.sort((a, b) => a.index - b.index).slice(0, threshold)
  if (chosen.length < threshold) return { opened: false, reason: 'too-few-shares', blamed }
  const sums = await openSum(key, means, vector, chosen)
  if (sums === undefined) return { opened: false, reason: 'overflow', blamed }
  return { opened: true, sums, used: chosen.flatMap(({ index }) => organisations[index - 1] ?? []), blamed }
}

/** Undefined when some slot overflows. */
async function openSum(
  key: PaillierKey,
  { lanes }: Means,
  { length, number, payload }: Container,
  chosen: readonly Proved[],
): Promise<Float64Array | undefined> {
  const indices = chosen.map(({ index }) => index)
  const { coefficients, factor } = interpolate(indices, key.delta)
  const scale = inverse(4n * key.delta * factor, key.n) ?? malformed('wrong-parameters', 'N has a small factor')
  const { perPlaintext } = key.packing
  const parts = rangesOf(payload.length / key.elementBytes, lanes.lanes).map(async ({ first, size }) => {
    const [from, to] = [first * key.elementBytes, (first + size) * key.elementBytes]
    const partials = chosen.map(({ elements }) => elements.subarray(from, to))
    const coordinates = Math.min(size * perPlaintext, length - first * perPlaintext)
    const opened = await lanes.run({
      type: 'open',
      partials,
      coefficients,
      scale,
      length: coordinates,
      contributions: number,
    })
    return opened.length === 0 ? undefined : opened
  })
  const opened = await Promise.all(parts)
  const whole = opened.flatMap((part) => part ?? [])
  if (whole.length < opened.length) return undefined
  const bytes = concatBytes(...whole)
  return Float64Array.from(new Int32Array(bytes.buffer))
}
