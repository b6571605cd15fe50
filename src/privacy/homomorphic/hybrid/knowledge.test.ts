import { describe, expect, it } from 'vitest'
import { concatBytes, utf8 } from '../../../base/bytes.ts'
import { EntenteError } from '../../../base/errors.ts'
import { sha256, sha256Hex } from '../../../base/hash.ts'
import type { Digest } from '../../../base/ids.ts'
import { organisationId } from '../../../base/ids.ts'
import { decodeContainer, encodeContainer } from '../container.ts'
import { inverse } from '../numbers.ts'
import { pack } from '../packing.ts'
import { readElements, writeElements } from '../paillier/elements.ts'
import { dealForTest, openForTest } from '../paillier/fixtures.ts'
import { type PaillierKey, readParameters } from '../paillier/parameters.ts'
import { readVector, wrapVector } from '../paillier/vectors.ts'
import type { Dealt, HomomorphicScheme } from '../scheme.ts'
import { readCoefficient, viewOf, writeCoefficient } from './coefficients.ts'
import { dealHybridForTest, openHybridForTest } from './fixtures.ts'
import { type HybridKey, readHybridParameters } from './parameters.ts'

const NAMES = ['a', 'b', 'c'].map(organisationId)
const request = { organisations: NAMES, threshold: 2, levels: 1000, contributionsMax: 3 }
const seed = (label: string): Uint8Array => sha256(utf8(label))
const purpose = (label: string): Digest => sha256Hex(utf8(label))
const LENGTH = 5
const valuesOf = (value: number): Int32Array => new Int32Array(LENGTH).fill(value)

/** A contribution that takes another one out of the sum again, with the offset of packed slots kept right, unproved. */
function subtracted(key: PaillierKey, vector: Uint8Array): Uint8Array {
  const { payload, length } = readVector(key, vector)
  const { perPlaintext, levels } = key.packing
  const elements = readElements(payload, key).map((element, j) => {
    const count = Math.min(perPlaintext, length - j * perPlaintext)
    const offset = pack(new Int32Array(count).fill(levels), key.packing)
    return ((inverse(element, key.nSquared) ?? 0n) * (1n + offset * key.n)) % key.nSquared
  })
  return wrapVector(key, { length, number: 1, payload: writeElements(elements, key) })
}

interface Case {
  readonly name: string
  readonly dealt: Dealt
  readonly scheme: HomomorphicScheme
  /** The contribution without its proof that takes `vector` out of a sum. */
  take(vector: Uint8Array): Uint8Array
  /** The vector with the proof of another. */
  graft(vector: Uint8Array, proved: Uint8Array): Uint8Array
}

function direct(): Case {
  const dealt = dealForTest(request)
  const key = readParameters(dealt.parameters)
  return {
    name: 'of version 1',
    dealt,
    scheme: openForTest(dealt.parameters),
    take: (vector) => subtracted(key, vector),
    graft: (vector, proved) => concatBytes(vector, readVector(key, proved).proof),
  }
}

function hybrid(): Case {
  const dealt = dealHybridForTest(request)
  const key = readHybridParameters(dealt.parameters)
  return {
    name: 'of version 2',
    dealt,
    scheme: openHybridForTest(dealt.parameters),
    take: (vector) =>
      withKey(key, vector, subtracted(key.inner, parts(key, vector).key), (c) => (c === 0 ? 0 : key.ring.q - c)),
    graft: (vector, proved) => {
      const { proof } = readVector(key.inner, parts(key, proved).key)
      return withKey(key, vector, concatBytes(parts(key, vector).key, proof), (c) => c)
    },
  }
}

function parts({ digest, ring }: HybridKey, vector: Uint8Array): { key: Uint8Array; cipher: Uint8Array } {
  const { payload, length } = decodeContainer(vector, 'vector', digest)
  const at = payload.length - length * ring.bytes
  return { key: payload.slice(0, at), cipher: payload.slice(at) }
}

function withKey(key: HybridKey, vector: Uint8Array, encrypted: Uint8Array, change: (c: number) => number): Uint8Array {
  const { cipher } = parts(key, vector)
  const { bytes } = key.ring
  const view = viewOf(cipher)
  for (let at = 0; at < cipher.length; at += bytes)
    writeCoefficient(view, at, bytes, change(readCoefficient(view, at, bytes)))
  const payload = concatBytes(encrypted, cipher)
  return encodeContainer({ kind: 'vector', parameters: key.digest, length: LENGTH, number: 1, payload })
}

const reasonOf = async (work: Promise<unknown>): Promise<unknown> => {
  const error: unknown = await work.then(() => 'accepted').catch((thrown: unknown) => thrown)
  return error instanceof EntenteError ? error.details['reason'] : error
}

describe.each([direct(), hybrid()])('a contribution $name', ({ dealt, scheme, take, graft }) => {
  const contribute = (name: string, value: number): Promise<Uint8Array> =>
    scheme.encrypt(valuesOf(value), seed(name), purpose(name))

  it('counts for the purpose that it was made for, and for no other', async () => {
    const vector = await contribute('a in round 1', 5)
    expect(vector).toHaveLength(scheme.vectorBytes(LENGTH))
    expect(await scheme.check(vector, purpose('a in round 1'))).toEqual({ length: LENGTH, contributions: 1 })
    expect(await reasonOf(scheme.check(vector, purpose('b in round 1')))).toBe('not-proved')
    expect(await reasonOf(scheme.check(vector, purpose('a in round 2')))).toBe('not-proved')
  })

  it('made of others’ ciphertexts would have a single update opened, and is refused', async () => {
    const [victim, other] = [await contribute('victim', 5), await contribute('other', 7)]
    const forged = take(other)
    // What a hub in league with one organisation could learn, if such a contribution were taken:
    const sum = await scheme.add([victim, other, forged])
    const partials = await Promise.all(
      [0, 1].map(async (i) => ({
        organisation: NAMES[i] as never,
        bytes: await scheme.partialDecrypt(sum, dealt.shares[i]?.share, purpose('sum'), seed(`give ${i}`)),
      })),
    )
    const opened = await scheme.combine(sum, partials, purpose('sum'))
    expect(opened.opened && [...opened.sums]).toEqual([...valuesOf(5)])
    expect(await reasonOf(scheme.check(forged))).toBe('accepted')
    expect(await reasonOf(scheme.check(forged, purpose('c')))).toBe('not-proved')
    for (const proved of [other, await contribute('c', 0)])
      expect(await reasonOf(scheme.check(graft(forged, proved), purpose('c')))).toBe('not-proved')
  })

  it('is refused with any byte of its proof or of what it is about changed, and so is a sum in its place', async () => {
    const vector = await contribute('a', 5)
    for (let at = 48; at < vector.length - 4 * LENGTH; at += 97) {
      const changed = Uint8Array.from(vector, (byte, i) => (i === at ? byte ^ 1 : byte))
      expect(await reasonOf(scheme.check(changed, purpose('a')))).not.toBe('accepted')
    }
    const sum = await scheme.add([vector])
    expect(await reasonOf(scheme.check(sum, purpose('a')))).toBe('not-proved')
  })
})
