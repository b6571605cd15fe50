import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { concatBytes, utf8 } from '../../../base/bytes.ts'
import { EntenteError } from '../../../base/errors.ts'
import { sha256, sha256Hex } from '../../../base/hash.ts'
import { organisationId } from '../../../base/ids.ts'
import { seededBytes } from '../../masking/keystream.ts'
import { decodeContainer, encodeContainer } from '../container.ts'
import { bigOf, bytesOf, inverse, plainPower } from '../numbers.ts'
import type { Dealt, HomomorphicScheme, PartialDecryption } from '../scheme.ts'
import { dealPaillier } from './deal.ts'
import { paillierEngine, type PaillierLanes } from './engine.ts'
import { readElements, writeElements } from './elements.ts'
import { dealForTest, openForTest, TEST_PRIMES } from './fixtures.ts'
import { interpolate } from './lagrange.ts'
import { paillierScheme } from './paillier.ts'
import { factorial, type PaillierKey, readParameters, readShare } from './parameters.ts'
import { jointPower, weightedProduct } from './products.ts'
import { createRandomiser, directRandomiser } from './randomiser.ts'
import { proofBytes, prove, weightSeed, weights } from './proof.ts'

const NAMES = ['a', 'b', 'c', 'd'].map(organisationId)
const STATEMENT = sha256Hex(utf8('this sum'))
const HEADER = 48
const request = { organisations: NAMES, threshold: 2, levels: 1000, contributionsMax: 4 }
const seed = (label: string): Uint8Array => sha256(utf8(label))
let dealt: Dealt
let key: PaillierKey
let scheme: HomomorphicScheme
beforeAll(() => {
  dealt = dealForTest(request)
  key = readParameters(dealt.parameters)
  scheme = openForTest(dealt.parameters)
})

const vectorWith = (element: bigint): Uint8Array =>
  encodeContainer({ kind: 'vector', parameters: key.digest, length: 1, number: 1, payload: bytesOf(element, 128) })
const give = async (i: number, sum: Uint8Array): Promise<PartialDecryption> => ({
  organisation: NAMES[i] as never,
  bytes: await scheme.partialDecrypt(sum, dealt.shares[i]?.share, STATEMENT, seed(`give ${i}`)),
})
const reasonOf = async (work: Promise<unknown>): Promise<unknown> => {
  const error: unknown = await work.then(() => 'accepted').catch((thrown: unknown) => thrown)
  return error instanceof EntenteError ? error.details['reason'] : error
}

describe('a malformed ciphertext', () => {
  it('is refused everywhere: 0, N^2 and beyond, a multiple of a factor', async () => {
    const cases = [
      [0n, 'out-of-range'],
      [key.nSquared, 'out-of-range'],
      [key.nSquared + 1n, 'out-of-range'],
      [key.n, 'not-coprime'],
      [5n * TEST_PRIMES[0], 'not-coprime'],
    ] as const
    for (const [element, reason] of cases) {
      const bad = vectorWith(element)
      expect(await reasonOf(scheme.check(bad))).toBe(reason)
      expect(await reasonOf(scheme.add([vectorWith(2n), bad]))).toBe(reason)
      expect(await reasonOf(scheme.partialDecrypt(bad, dealt.shares[0]?.share, STATEMENT, seed('')))).toBe(reason)
    }
  })

  it('with integers beyond the bounds opens nothing, instead of a wrong sum', async () => {
    const honest = await scheme.encrypt(Int32Array.of(7), seed('honest'))
    for (const integer of [9000n, 500_000n]) {
      const sum = await scheme.add([honest, vectorWith(1n + integer * key.n)])
      const partials = [await give(0, sum), await give(1, sum)]
      expect(await scheme.combine(sum, partials, STATEMENT)).toEqual({ opened: false, reason: 'overflow', blamed: [] })
    }
  })
})

describe('a ciphertext', () => {
  it('decrypts by the factors as Paillier 1999 says: m = L(c^lambda) / lambda mod N', async () => {
    const payload = decodeContainer(await scheme.encrypt(Int32Array.of(-1000, 3), seed('x')), 'vector', key.digest)
    const c = BigInt(`0x${Buffer.from(payload.payload).toString('hex')}`)
    const lambda = (TEST_PRIMES[0] - 1n) * (TEST_PRIMES[1] - 1n)
    const opened = (plainPower(key.nSquared)(c, lambda) - 1n) / key.n
    const plaintext = (opened * (inverse(lambda, key.n) ?? 0n)) % key.n
    expect(plaintext).toBe(1003n << BigInt(key.packing.slotBits))
  })
})

describe('a partial decryption', () => {
  it('with any byte of any element or of its proof changed is not believed', async () => {
    const sum = await scheme.encrypt(
      Int32Array.from({ length: 90 }, (_, i) => i),
      seed('v'),
    )
    const honest = await Promise.all([0, 1, 2].map((i) => give(i, sum)))
    const bytes = honest[0]?.bytes ?? new Uint8Array(0)
    const places = fc.integer({ min: HEADER, max: bytes.length - 1 })
    await fc.assert(
      fc.asyncProperty(places, fc.integer({ min: 1, max: 255 }), async (at, flip) => {
        const forged = Uint8Array.from(bytes, (byte, i) => (i === at ? byte ^ flip : byte))
        const given = [{ organisation: NAMES[0] as never, bytes: forged }, ...honest.slice(1)]
        expect(await scheme.combine(sum, given, STATEMENT)).toMatchObject({ opened: true, blamed: ['a'] })
      }),
      { numRuns: 40 },
    )
  })

  /** What a cheat gives who holds the right share: the partial decryptions that it likes, with the best proof there is. */
  const cheating = async (
    sum: Uint8Array,
    cheat: (element: bigint, i: number) => bigint,
  ): Promise<PartialDecryption> => {
    const { payload } = decodeContainer((await give(0, sum)).bytes, 'partial', key.digest)
    const honest = readElements(payload.subarray(0, payload.length - proofBytes(key)), key)
    const partials = writeElements(honest.map(cheat), key)
    const claim = { statement: STATEMENT, index: 1, sum: sha256Hex(sum), partial: sha256Hex(partials) }
    const elements = readElements(decodeContainer(sum, 'vector', key.digest).payload, key)
    const weighted = weightedProduct(elements, weights(weightSeed(key, claim), 0, elements.length), key.nSquared)
    const { secret } = readShare(dealt.shares[0]?.share, key)
    const proof = prove(key, claim, weighted, secret, {
      random: seededBytes(seed('cheat'), 'proof'),
      powerOf: plainPower,
    })
    const header = { kind: 'partial', parameters: key.digest, length: 90, number: 1 } as const
    return {
      organisation: NAMES[0] as never,
      bytes: encodeContainer({ ...header, payload: concatBytes(partials, proof) }),
    }
  }
  const ninety = Int32Array.from({ length: 90 }, (_, i) => i)
  const opens = async (cheat: (element: bigint, i: number) => bigint) => {
    const sum = await scheme.encrypt(ninety, seed('v'))
    return scheme.combine(sum, [await cheating(sum, cheat), await give(1, sum), await give(2, sum)], STATEMENT)
  }

  it('of a cheat who makes one of the batch wrong and proves the rest with the right share names the cheat', async () => {
    const wrong = [
      (element: bigint) => (element * (1n + key.n)) % key.nSquared,
      (element: bigint) => element ** 2n % key.nSquared,
      (element: bigint) => (element * key.verificationBase) % key.nSquared,
    ]
    for (const change of wrong)
      expect(await opens((element, i) => (i === 1 ? change(element) : element))).toMatchObject({
        opened: true,
        used: ['b', 'c'],
        blamed: ['a'],
      })
  })

  it('with elements of order two in it, which no random combination of squares sees, opens the same sum', async () => {
    for (const negated of [[0], [1], [0, 1]]) {
      const opened = await opens((element, i) => (negated.includes(i) ? key.nSquared - element : element))
      expect(opened).toMatchObject({ opened: true, used: ['a', 'b'] })
      expect(opened.opened && [...opened.sums]).toEqual([...ninety])
    }
  })

  it('does not open with the share of somebody else in its owner’s place', async () => {
    const sum = await scheme.encrypt(Int32Array.of(5), seed('v'))
    const own = dealt.shares[0]?.share as { share: string }
    const other = dealt.shares[1]?.share as object
    const bytes = await scheme.partialDecrypt(sum, { ...other, share: own.share }, STATEMENT, seed(''))
    const given = [{ organisation: NAMES[1] as never, bytes }, await give(2, sum)]
    expect(await scheme.combine(sum, given, STATEMENT)).toMatchObject({ opened: false, blamed: ['b'] })
  })
})

describe('a proof', () => {
  it('commits to something else for every statement, also when a seed is used twice: two answers to one tell the secret', async () => {
    const sum = await scheme.encrypt(Int32Array.of(5), seed('v'))
    const share = dealt.shares[0]?.share
    const answers = await Promise.all(
      [STATEMENT, sha256Hex(utf8('another'))].map(async (statement) => {
        const { payload } = decodeContainer(
          await scheme.partialDecrypt(sum, share, statement, seed('p')),
          'partial',
          key.digest,
        )
        const proof = payload.subarray(payload.length - proofBytes(key))
        return { challenge: bigOf(proof.subarray(0, 32)), z: bigOf(proof.subarray(32)) }
      }),
    )
    const [one, other] = answers as [(typeof answers)[0], (typeof answers)[0]]
    const { secret } = readShare(share, key)
    expect(one.z - other.z).not.toBe((one.challenge - other.challenge) * key.delta * secret)
  })
})

describe('interpolation at 0', () => {
  it('gives a multiple of the secret for every choice of shares, in integers', () => {
    const choice = fc.shuffledSubarray([1, 2, 3, 4, 5, 6, 7], { minLength: 3, maxLength: 3 })
    const coefficients = fc.tuple(fc.bigInt(), fc.bigInt(), fc.bigInt())
    fc.assert(
      fc.property(choice, coefficients, (indices, [a, b, c]) => {
        const { coefficients: mu, factor } = interpolate(indices, factorial(7))
        const f = (i: number): bigint => a + b * BigInt(i) + c * BigInt(i) ** 2n
        expect(indices.reduce((sum, i, at) => sum + (mu[at] ?? 0n) * f(i), 0n)).toBe(factor * a)
      }),
    )
  })
})

describe('products of powers', () => {
  it('are what multiplying one by one gives', () => {
    const m = (1n << 127n) - 1n
    const pair = fc.tuple(fc.bigInt({ min: 1n, max: m - 1n }), fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }))
    fc.assert(
      fc.property(fc.array(pair, { maxLength: 80 }), (pairs) => {
        const [bases, exponents] = [pairs.map(([base]) => base), pairs.map(([, exponent]) => exponent)]
        const plain = pairs.reduce((product, [base, exponent]) => (product * plainPower(m)(base, exponent)) % m, 1n)
        expect(weightedProduct(bases, exponents, m)).toBe(plain)
        expect(jointPower(bases, exponents, m)).toBe(plain)
      }),
      { numRuns: 30 },
    )
  })
})

describe('work cut into ranges', () => {
  it('gives the same bytes on one lane and on three', async () => {
    const engine = paillierEngine(key, plainPower)
    const lanes: PaillierLanes = { lanes: 3, run: async (task) => engine(task) }
    const spread = paillierScheme(key, { lanes, powerOf: plainPower })
    const values = Int32Array.from({ length: 333 }, (_, i) => i)
    const vector = await scheme.encrypt(values, seed('v'))
    expect(await spread.encrypt(values, seed('v'))).toEqual(vector)
    expect(await spread.add([vector, vector])).toEqual(await scheme.add([vector, vector]))
    const partial = await spread.partialDecrypt(vector, dealt.shares[0]?.share, STATEMENT, seed('p'))
    expect(await scheme.partialDecrypt(vector, dealt.shares[0]?.share, STATEMENT, seed('p'))).toEqual(partial)
    const given = [{ organisation: NAMES[0] as never, bytes: partial }, await give(3, vector)]
    const opened = await spread.combine(vector, given, STATEMENT)
    expect(opened.opened && [...opened.sums]).toEqual([...values])
  })
})

describe('the random part of a ciphertext', () => {
  it('is the same by a table and by exponentiation', () => {
    const table = createRandomiser(key.base, 256, key.nSquared)
    const direct = directRandomiser(key.base, 256, plainPower(key.nSquared))
    for (const i of [0, 1, 1000]) expect(table.element(seed('r'), i)).toBe(direct.element(seed('r'), i))
    expect(table.element(seed('r'), 0)).not.toBe(table.element(seed('r'), 1))
  })
})

describe('dealing', () => {
  it('refuses primes that do not make a key, and thresholds that nobody reaches', () => {
    const deal = (changes: object) => () =>
      dealPaillier(
        { ...request, modulusBits: 512, primes: TEST_PRIMES, exponentBits: 256, ...changes },
        (n) => concatBytes(seed('deal'), new Uint8Array(n)).subarray(0, n),
        plainPower,
      )
    expect(deal({ primes: [TEST_PRIMES[0], TEST_PRIMES[0]] })).toThrow('two safe primes')
    expect(deal({ primes: [TEST_PRIMES[0], 13n] })).toThrow('two safe primes')
    expect(deal({ threshold: 5 })).toThrow('a threshold lies')
    expect(deal({ threshold: 0 })).toThrow('a threshold lies')
  })

  it('writes shares and parameters that name each other, and no prime anywhere', () => {
    const text = JSON.stringify(dealt)
    for (const prime of TEST_PRIMES) expect(text).not.toContain(prime.toString(16))
    for (const { share } of dealt.shares) expect(share).toMatchObject({ parameters: key.digest })
  })
})
