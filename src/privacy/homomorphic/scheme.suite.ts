/** What every implementation of homomorphic encryption must do: one suite for all. */

import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { utf8 } from '../../base/bytes.ts'
import { EntenteError } from '../../base/errors.ts'
import { sha256, sha256Hex } from '../../base/hash.ts'
import { organisationId } from '../../base/ids.ts'
import { prng } from '../../base/prng.ts'
import type { Combination, Dealt, DealRequest, HomomorphicScheme, PartialDecryption } from './scheme.ts'

export interface Implementation {
  readonly name: string
  readonly levels: number
  deal(request: DealRequest): Promise<Dealt>
  /** From JSON, as a file is read. */
  open(parameters: unknown): Promise<HomomorphicScheme>
}

const NAMES = ['bank-a', 'hospital-b', 'school-c', 'shop-d', 'utility-e'].map(organisationId)
const STATEMENT = sha256Hex(utf8('the sum of round 1'))
export const seedOf = (label: string): Uint8Array => sha256(utf8(label))
const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work
  } catch (error) {
    if (error instanceof EntenteError) return `${error.code} ${String(error.details['reason'] ?? '')}`.trim()
    throw error
  }
  return 'accepted'
}

export function schemeSuite(implementation: Implementation): void {
  const { levels } = implementation
  const request = { organisations: NAMES, threshold: 3, levels, contributionsMax: 5 }
  let dealt: Dealt
  let scheme: HomomorphicScheme
  beforeAll(async () => {
    dealt = await implementation.deal(request)
    scheme = await implementation.open(json(dealt.parameters))
  })

  const shareOf = (i: number): unknown => json(dealt.shares[i]?.share)
  const give = async (i: number, sum: Uint8Array, statement = STATEMENT): Promise<PartialDecryption> => ({
    organisation: NAMES[i] ?? organisationId('nobody'),
    bytes: await scheme.partialDecrypt(sum, shareOf(i), statement, seedOf(`partial ${i}`)),
  })
  const giveAll = (sum: Uint8Array, who: readonly number[]): Promise<PartialDecryption[]> =>
    Promise.all(who.map((i) => give(i, sum)))
  const encryptAll = (vectors: readonly Int32Array[], label = ''): Promise<Uint8Array[]> =>
    Promise.all(vectors.map((vector, i) => scheme.encrypt(vector, seedOf(`${label} ${i}`), STATEMENT)))

  function expectSum(combination: Combination, vectors: readonly Int32Array[]): void {
    if (!combination.opened) throw new Error(JSON.stringify(combination))
    expect(combination.sums).toHaveLength(vectors[0]?.length ?? 0)
    combination.sums.forEach((sum, i) => {
      const plain = vectors.reduce((total, vector) => total + (vector[i] ?? 0), 0)
      expect(Math.abs(sum - plain)).toBeLessThanOrEqual(scheme.errorMax)
    })
  }

  const random = prng('scheme suite')
  const vectorOf = (length: number): Int32Array =>
    Int32Array.from({ length }, () => random.below(2 * levels + 1) - levels)

  describe(`${implementation.name}: sums`, () => {
    it('are the plain integer sums, for any vectors, weights and choice of enough shares', async () => {
      const integers = fc.array(fc.integer({ min: -levels, max: levels }), { minLength: 1, maxLength: 40 })
      const among = fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 3, maxLength: 5 })
      const property = fc.asyncProperty(integers, fc.integer({ min: 1, max: 5 }), among, async (first, count, who) => {
        const vectors = Array.from({ length: count }, (_, k) => Int32Array.from(first, (v) => (k % 2 === 0 ? v : -v)))
        const sum = await scheme.add(await encryptAll(vectors))
        expectSum(await scheme.combine(sum, await giveAll(sum, who), STATEMENT), vectors)
      })
      await fc.assert(property, { numRuns: 12 })
    })

    it('of the largest values of all contributions neither wrap nor borrow from each other', async () => {
      const extremes = Int32Array.from({ length: 30 }, (_, i) => (i % 3 === 0 ? levels : i % 3 === 1 ? -levels : 0))
      const vectors = [extremes, extremes, extremes, extremes, extremes]
      const sum = await scheme.add(await encryptAll(vectors))
      expectSum(await scheme.combine(sum, await giveAll(sum, [0, 1, 2]), STATEMENT), vectors)
    })

    it('may be added in any order and in any grouping, and know how many they hold', async () => {
      const vectors = [vectorOf(33), vectorOf(33), vectorOf(33)]
      const [a, b, c] = (await encryptAll(vectors)) as [Uint8Array, Uint8Array, Uint8Array]
      const sum = await scheme.add([c, a, b])
      expect(await scheme.add([await scheme.add([a, b]), c])).toEqual(sum)
      expect(await scheme.check(sum)).toEqual({ length: 33, contributions: 3 })
    })

    it('show nothing in their bytes: the same integers encrypt differently under another seed', async () => {
      const [one, other] = (await encryptAll([new Int32Array(8), new Int32Array(8)])) as [Uint8Array, Uint8Array]
      expect(one).toHaveLength(other.length)
      expect(one).toHaveLength(scheme.vectorBytes(8))
      expect(one).not.toEqual(other)
    })
  })

  describe(`${implementation.name}: shares`, () => {
    it('below the threshold open nothing', async () => {
      const sum = await scheme.add(await encryptAll([vectorOf(5)]))
      const partials = await giveAll(sum, [0, 4])
      expect(await scheme.combine(sum, partials, STATEMENT)).toMatchObject({ opened: false, reason: 'too-few-shares' })
      const repeated = [...partials, ...partials]
      expect(await scheme.combine(sum, repeated, STATEMENT)).toMatchObject({ opened: false, blamed: [] })
    })

    it('that are wrong are named and left out, and the sum opens all the same', async () => {
      const vectors = [vectorOf(50), vectorOf(50)]
      const sum = await scheme.add(await encryptAll(vectors))
      const others = await scheme.add(await encryptAll([vectorOf(50), vectorOf(50)], 'others'))
      const [right, other] = [await giveAll(sum, [0, 1, 3]), await give(2, others)]
      const combination = await scheme.combine(sum, [other, ...right], STATEMENT)
      expectSum(combination, vectors)
      expect(combination).toMatchObject({ blamed: [NAMES[2]], used: [NAMES[0], NAMES[1], NAMES[3]] })
    })

    it('that are garbage, cut or of another kind are named, never a crash', async () => {
      const sum = await scheme.add(await encryptAll([vectorOf(5)]))
      const [good] = (await giveAll(sum, [0])) as [PartialDecryption]
      const bad = [new Uint8Array(0), new Uint8Array(500), good.bytes.subarray(0, good.bytes.length - 1), sum]
      for (const bytes of bad) {
        const partials = [{ organisation: NAMES[1] as never, bytes }, ...(await giveAll(sum, [0, 2, 3]))]
        expect(await scheme.combine(sum, partials, STATEMENT)).toMatchObject({ opened: true, blamed: [NAMES[1]] })
      }
    })

    it('of one statement are worth nothing for another', async () => {
      const sum = await scheme.add(await encryptAll([vectorOf(5)]))
      const partials = [await give(0, sum, sha256Hex(utf8('round 2'))), ...(await giveAll(sum, [1, 2, 3]))]
      expect(await scheme.combine(sum, partials, STATEMENT)).toMatchObject({ opened: true, blamed: [NAMES[0]] })
    })

    it('of one organisation in the name of another are not taken', async () => {
      const sum = await scheme.add(await encryptAll([vectorOf(5)]))
      const partials = await giveAll(sum, [0, 1, 2, 3])
      const stolen = { organisation: NAMES[4] as never, bytes: partials[0]?.bytes ?? new Uint8Array(0) }
      const outsider = { organisation: organisationId('outsider'), bytes: stolen.bytes }
      expect(await scheme.combine(sum, [stolen, outsider, ...partials], STATEMENT)).toMatchObject({
        opened: true,
        blamed: [NAMES[4], 'outsider'],
      })
    })
  })

  describe(`${implementation.name}: what comes from outside`, () => {
    it('is refused by a closed code when it is no vector of these parameters', async () => {
      const [vector] = (await encryptAll([vectorOf(5)])) as [Uint8Array]
      const changed = (at: number): Uint8Array => Uint8Array.from(vector, (byte, i) => (i === at ? byte ^ 1 : byte))
      expect(await codeOf(scheme.check(new Uint8Array(0)))).toBe('input-invalid not-a-container')
      expect(await codeOf(scheme.check(changed(0)))).toBe('input-invalid not-a-container')
      expect(await codeOf(scheme.check(changed(4)))).toBe('input-invalid not-a-container')
      expect(await codeOf(scheme.check(changed(9)))).toBe('input-invalid wrong-parameters')
      expect(await codeOf(scheme.check(changed(40)))).toBe('input-invalid wrong-length')
      expect(await codeOf(scheme.check(vector.subarray(0, vector.length - 1)))).toBe('input-invalid wrong-length')
    })

    it('is refused when more contributions are added than fit, or vectors of other lengths', async () => {
      const vectors = await encryptAll(Array.from({ length: 6 }, () => vectorOf(3)))
      expect(await codeOf(scheme.add(vectors))).toBe('input-invalid wrong-length')
      const [longer] = (await encryptAll([vectorOf(4)])) as [Uint8Array]
      expect(await codeOf(scheme.add([longer, vectors[0] as Uint8Array]))).toBe('wrong-shape')
    })

    it('is refused when a value is beyond its bounds', async () => {
      expect(await codeOf(scheme.encrypt(Int32Array.of(levels + 1), seedOf('')))).toBe('wrong-shape')
      expect(await codeOf(scheme.encrypt(Int32Array.of(-levels - 1), seedOf('')))).toBe('wrong-shape')
    })

    it('is refused when the share is another key’s, nobody’s, or no share', async () => {
      const sum = await scheme.add(await encryptAll([vectorOf(3)]))
      const foreign = await implementation.deal({ ...request, threshold: 2 })
      const use = (share: unknown): Promise<string> => codeOf(scheme.partialDecrypt(sum, share, STATEMENT, seedOf('')))
      expect(await use(json(foreign.shares[0]?.share))).toBe('input-invalid wrong-parameters')
      expect(await use({ ...(shareOf(0) as object), organisation: 'outsider' })).toBe('input-invalid wrong-share')
      expect(await use({ ...(shareOf(0) as object), extra: 1 })).toBe('input-invalid wrong-share')
      expect(await use(null)).toBe('input-invalid wrong-share')
    })

    it('is refused when parameters are of another version, or changed in any member', async () => {
      const parameters = dealt.parameters as Record<string, unknown>
      const open = (changes: object): Promise<string> => codeOf(implementation.open({ ...parameters, ...changes }))
      for (const changes of [
        { format: 'entente-paillier-parameters-3' },
        { extra: 1 },
        { threshold: 6 },
        { levels: 0 },
      ])
        expect(await open(changes)).toMatch(/^input-invalid/)
      expect(await open({ organisations: NAMES.toReversed() })).toMatch(/^input-invalid/)
    })
  })
}
