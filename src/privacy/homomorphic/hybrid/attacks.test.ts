import { beforeAll, describe, expect, it } from 'vitest'
import { utf8 } from '../../../base/bytes.ts'
import { EntenteError } from '../../../base/errors.ts'
import { sha256, sha256Hex } from '../../../base/hash.ts'
import { organisationId } from '../../../base/ids.ts'
import type { Dealt, HomomorphicScheme, PartialDecryption } from '../scheme.ts'
import { dealHybridForTest, openHybridForTest } from './fixtures.ts'

const NAMES = ['a', 'b', 'c'].map(organisationId)
const STATEMENT = sha256Hex(utf8('this sum'))
const seed = (label: string): Uint8Array => sha256(utf8(label))
const changed = (bytes: Uint8Array, at: number): Uint8Array =>
  Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ 1 : byte))
let dealt: Dealt
let scheme: HomomorphicScheme
let sum: Uint8Array
let partials: PartialDecryption[]
const give = async (i: number, of: Uint8Array): Promise<PartialDecryption> => ({
  organisation: NAMES[i] as never,
  bytes: await scheme.partialDecrypt(of, dealt.shares[i]?.share, STATEMENT, seed(`give ${i}`)),
})
beforeAll(async () => {
  dealt = dealHybridForTest({ organisations: NAMES, threshold: 2, levels: 1000, contributionsMax: 3 })
  scheme = openHybridForTest(dealt.parameters)
  const vectors = await Promise.all(['x', 'y'].map((label) => scheme.encrypt(Int32Array.of(1, -2, 3), seed(label))))
  sum = await scheme.add(vectors)
  partials = [await give(0, sum), await give(1, sum)]
})

describe('partial decryptions', () => {
  it('open the sum of vectors that they were given for', async () => {
    const opened = await scheme.combine(sum, partials, STATEMENT)
    expect(opened.opened && [...opened.sums]).toEqual([2, -4, 6])
  })

  it('are worth nothing for other vectors under the same encrypted keys', async () => {
    const other = changed(sum, sum.length - 4)
    expect(await scheme.combine(other, partials, STATEMENT)).toEqual({
      opened: false,
      reason: 'too-few-shares',
      blamed: ['a', 'b'],
    })
  })
})

describe('a liar among the contributors', () => {
  it('whose vector is not under the key that it encrypted makes the sum open nothing, never something else', async () => {
    const honest = await scheme.encrypt(new Int32Array(50).fill(7), seed('honest'))
    const [one, other] = await Promise.all(
      ['v', 'w'].map((label) => scheme.encrypt(new Int32Array(50).fill(9), seed(label))),
    )
    const cipherBytes = 50 * 4
    const mixed = Uint8Array.from(one as Uint8Array)
    mixed.set((other as Uint8Array).subarray(-cipherBytes), mixed.length - cipherBytes)
    const total = await scheme.add([honest, mixed])
    const given = [await give(0, total), await give(2, total)]
    expect(await scheme.combine(total, given, STATEMENT)).toEqual({ opened: false, reason: 'overflow', blamed: [] })
  })

  it('cannot have a coefficient of the modulus or more added or opened', async () => {
    const vector = Uint8Array.from(await scheme.encrypt(Int32Array.of(1, -2, 3), seed('z')))
    vector.fill(255, vector.length - 4)
    const reason = async (work: Promise<unknown>): Promise<unknown> =>
      work.catch((error: unknown) => (error instanceof EntenteError ? error.details['reason'] : error))
    expect(await reason(scheme.check(vector))).toBe('out-of-range')
    expect(await reason(scheme.add([sum, vector]))).toBe('out-of-range')
    expect(await reason(give(0, vector))).toBe('out-of-range')
  })
})

describe('parameters', () => {
  it('with weaker errors, another degree or other primes than their bounds ask for are refused', () => {
    const parameters = dealt.parameters as { ring: { primes: number[] } }
    const open = (ring: object) => () => openHybridForTest({ ...parameters, ring: { ...parameters.ring, ...ring } })
    expect(open({})).not.toThrow()
    for (const ring of [{ variance: 1 }, { degree: 1024 }, { primes: [40_961, 61_441] }, { primes: [4, 4] }])
      expect(open(ring)).toThrow('the parameters of Paillier')
    expect(() => openHybridForTest({ ...parameters, levels: 100_000 })).toThrow('other primes')
  })

  it('whose key has too little room for keys of the ring are refused', () => {
    const { key } = dealt.parameters as { key: object }
    expect(() => openHybridForTest({ ...(dealt.parameters as object), key: { ...key, levels: 10 } })).toThrow('no room')
  })
})
