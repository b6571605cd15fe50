import { beforeAll, describe, expect, it } from 'vitest'
import { utf8 } from '../../base/bytes.ts'
import { sha256Hex } from '../../base/hash.ts'
import { organisationId } from '../../base/ids.ts'
import { schemeSuite } from '../../privacy/homomorphic/scheme.suite.ts'
import type { Dealt, HomomorphicScheme, PartialDecryption } from '../../privacy/homomorphic/scheme.ts'
import { floodBits } from './ckks-open.ts'
import { dealNewCkks, openCkks } from './ckks.ts'

schemeSuite({ name: 'CKKS', levels: 32_767, deal: (request) => dealNewCkks(request), open: openCkks })

describe('CKKS with one key for all', () => {
  const names = ['a', 'b', 'c', 'd'].map(organisationId)
  const statement = sha256Hex(utf8('round 1'))
  const request = { organisations: names, threshold: 2, levels: 32_767, contributionsMax: 10 }
  let dealt: Dealt
  let scheme: HomomorphicScheme
  beforeAll(async () => {
    dealt = await dealNewCkks(request, '60-60-60')
    scheme = await openCkks(dealt.parameters)
  })
  const give = async (i: number, sum: Uint8Array, seed = i): Promise<PartialDecryption> => ({
    organisation: names[i] as never,
    bytes: await scheme.partialDecrypt(sum, dealt.shares[i]?.share, statement, new Uint8Array(32).fill(seed)),
  })

  it('sums 10 contributions of 10,000 values exactly in the set with 76 bits of flooding too', async () => {
    const values = Int32Array.from({ length: 10_000 }, (_, i) => ((i * 7919) % 65_535) - 32_767)
    const one = await scheme.encrypt(values, new Uint8Array(32))
    const sum = await scheme.add(Array.from({ length: 10 }, () => one))
    const opened = await scheme.combine(sum, [await give(0, sum), await give(3, sum)], statement)
    expect(opened.opened && opened.sums.every((value, i) => value === 10 * (values[i] ?? 0))).toBe(true)
  })

  it('names who gives other integers than the rest, and opens nothing when two camps are equally large', async () => {
    const sum = await scheme.encrypt(Int32Array.of(1, 2, 3), new Uint8Array(32))
    const [a, b, c, d] = await Promise.all([0, 1, 2, 3].map((i) => give(i, sum)))
    const lie = (one: PartialDecryption | undefined): PartialDecryption => {
      const bytes = (one?.bytes ?? new Uint8Array(0)).slice()
      bytes[bytes.length - 4] = 9
      return { organisation: one?.organisation as never, bytes }
    }
    const honest = [a, b, d] as PartialDecryption[]
    expect(await scheme.combine(sum, [lie(c), ...honest], statement)).toMatchObject({ opened: true, blamed: ['c'] })
    const camps = [a as PartialDecryption, b as PartialDecryption, lie(c), lie(d)]
    expect(await scheme.combine(sum, camps, statement)).toMatchObject({ opened: false, reason: 'too-few-shares' })
  })

  it('refuses bytes that are no ciphertext of its form, whoever changed them', async () => {
    const vector = await scheme.encrypt(Int32Array.of(1), new Uint8Array(32))
    for (const at of [48, 60, 100, 130]) {
      const changed = Uint8Array.from(vector, (byte, i) => (i === at ? byte ^ 0x55 : byte))
      await expect(scheme.check(changed)).rejects.toMatchObject({ code: 'input-invalid' })
    }
    const empty = Uint8Array.from(vector, (byte, i) => (i < 200 ? byte : 0))
    await expect(scheme.check(empty)).rejects.toMatchObject({ code: 'input-invalid' })
  })

  it('releases the same integers whatever the noise: neither it nor the error of the scheme is seen', async () => {
    const sum = await scheme.encrypt(Int32Array.of(5, -5), new Uint8Array(32))
    const seeds = await Promise.all([1, 2, 3].map((seed) => give(0, sum, seed)))
    expect(new Set(seeds.map(({ bytes }) => sha256Hex(bytes))).size).toBe(1)
  })

  it('says by how many bits its noise covers the error', () => {
    expect(floodBits('50-50', 10)).toBeCloseTo(8.4, 0)
    expect(floodBits('60-60-60', 10)).toBeCloseTo(76.4, 0)
  })
})
