/** Vectors of ciphertexts as they travel, and how their work is cut into ranges for the lanes. */

import { concatBytes } from '../../../base/bytes.ts'
import { type Container, decodeContainer, encodeContainer, malformed } from '../container.ts'
import { bigOf, type PowerOf } from '../numbers.ts'
import { plaintextsFor } from '../packing.ts'
import type { PaillierLanes, PaillierTask } from './engine.ts'
import { knowledgeBytes } from './knowledge-size.ts'
import type { PaillierKey } from './parameters.ts'

/** What a scheme works with, beside its key. */
export interface Means {
  readonly lanes: PaillierLanes
  readonly powerOf: PowerOf
}

export function wrapVector(key: PaillierKey, content: Pick<Container, 'length' | 'number' | 'payload'>): Uint8Array {
  return encodeContainer({ kind: 'vector', parameters: key.digest, ...content })
}

/** A vector; a contribution has a proof behind its elements, a sum has none. */
export interface Vector extends Container {
  readonly proof: Uint8Array
}

/** A vector of which all but the elements and the proof is checked. @throws input-invalid */
export function readVector(key: PaillierKey, bytes: Uint8Array): Vector {
  const vector = decodeContainer(bytes, 'vector', key.digest)
  requireRoom(key, vector.number)
  const size = plaintextsFor(vector.length, key.packing) * key.elementBytes
  const proof = vector.payload.subarray(size)
  if (vector.payload.length < size || (proof.length > 0 && proof.length !== knowledgeBytes(key)))
    malformed('wrong-length', `${vector.length} coordinates and these bytes do not belong together`)
  return { ...vector, payload: vector.payload.subarray(0, size), proof }
}

export function requireRoom(key: PaillierKey, contributions: number): void {
  if (contributions > key.source.contributionsMax)
    malformed('wrong-length', `slots have room for ${key.source.contributionsMax} contributions`)
}

export interface Range {
  readonly first: number
  readonly size: number
}

/** At most `lanes` ranges of nearly one size. */
export function rangesOf(count: number, lanes: number): Range[] {
  const per = Math.max(1, Math.ceil(count / lanes))
  return Array.from({ length: Math.ceil(count / per) }, (_, i) => ({
    first: i * per,
    size: Math.min(per, count - i * per),
  }))
}

/** Runs a task on each range of a vector of elements and joins what they give. */
export async function spread(
  { elementBytes }: PaillierKey,
  { lanes }: Means,
  vector: Uint8Array,
  taskFor: (part: Uint8Array, range: Range) => PaillierTask,
): Promise<Uint8Array> {
  const parts = rangesOf(vector.length / elementBytes, lanes.lanes).map((range) => {
    const end = range.first + range.size
    return lanes.run(taskFor(vector.subarray(range.first * elementBytes, end * elementBytes), range))
  })
  return concatBytes(...(await Promise.all(parts)))
}

/** prod element_j^e_j with the weights of a proof. */
export async function weigh(key: PaillierKey, means: Means, vector: Uint8Array, seed: Uint8Array): Promise<bigint> {
  const products = await spread(key, means, vector, (part, { first }) => ({ type: 'weigh', vector: part, seed, first }))
  let product = 1n
  for (let at = 0; at < products.length; at += key.elementBytes)
    product = (product * bigOf(products.subarray(at, at + key.elementBytes))) % key.nSquared
  return product
}
