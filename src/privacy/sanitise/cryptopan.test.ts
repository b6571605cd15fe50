import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sharedPath } from '../../../test/shared.ts'
import { cryptoPan } from './cryptopan.ts'

const KEY = Uint8Array.of(
  ...[21, 34, 23, 141, 51, 164, 207, 128, 19, 10, 91, 22, 73, 144, 125, 16],
  ...[216, 152, 143, 131, 121, 121, 101, 39, 98, 87, 76, 45, 42, 132, 34, 2],
)
const pan = cryptoPan(KEY)

const parse = (address: string): number[] => [address.split('.').reduce((word, octet) => word * 256 + Number(octet), 0)]
const print = ([word = 0]: readonly number[]): string => [24, 16, 8, 0].map((shift) => (word >>> shift) & 255).join('.')

/** Length of the prefix that two addresses share. */
function shared(a: readonly number[], b: readonly number[]): number {
  for (const [w, word] of a.entries()) {
    const differing = (word ^ (b[w] ?? 0)) >>> 0
    if (differing !== 0) return 32 * w + Math.clz32(differing)
  }
  return 32 * a.length
}

const word = fc.integer({ min: 0, max: 0xffffffff })
const ipv4 = fc.tuple(word)
const ipv6 = fc.tuple(word, word, word, word)

describe('Crypto-PAn (Xu et al. 2002)', () => {
  const directory = sharedPath('vectors/cryptopan')

  it.skipIf(directory === undefined)('gives all pairs of the reference program (reads shared vectors)', () => {
    const addresses = (file: string): string[] =>
      readFileSync(join(directory ?? '', file), 'utf8')
        .split('\n')
        .flatMap((line) => line.split('\t')[2]?.trim() ?? [])
    const [raw, sanitised] = [addresses('cryptopan_raw.dat'), addresses('cryptopan_sanitized.dat')]
    expect(raw).toHaveLength(100)
    expect(raw.map((address) => print(pan.pseudonym(parse(address))))).toEqual(sanitised)
  })

  it('gives the pair of the reference program that its readme shows', () => {
    expect(print(pan.pseudonym(parse('24.5.0.80')))).toBe('100.9.15.210')
  })

  it.each([
    ['IPv4', ipv4],
    ['IPv6', ipv6],
  ] as const)('is undone by the key, for %s', (_, address: fc.Arbitrary<number[]>) => {
    fc.assert(
      fc.property(address, (bits) => {
        expect(pan.recover(pan.pseudonym(bits))).toEqual(bits)
      }),
    )
  })

  it.each([
    ['IPv4', ipv4, 32],
    ['IPv6', ipv6, 128],
  ] as const)('preserves prefixes exactly, neither shorter nor longer, for %s', (_, address, size) => {
    fc.assert(
      fc.property(address, fc.integer({ min: 0, max: size - 1 }), (bits, at) => {
        const other: number[] = [...bits]
        other[at >>> 5] = ((other[at >>> 5] ?? 0) ^ (1 << (31 - (at & 31)))) >>> 0
        expect(shared(bits, other)).toBe(at)
        expect(shared(pan.pseudonym(bits), pan.pseudonym(other))).toBe(at)
      }),
    )
  })

  it('of an IPv6 address begins as that of the IPv4 address with the same bits', () => {
    // The padding of both is the same block, so f_i agrees for the first 32 bits.
    expect(pan.pseudonym([0x01020304, 5, 6, 7])[0]).toBe(pan.pseudonym([0x01020304])[0])
  })

  it('under another key is another pseudonym', () => {
    const other = cryptoPan(KEY.map((byte) => byte ^ 1))
    expect(other.pseudonym([0x08080808])).not.toEqual(pan.pseudonym([0x08080808]))
  })
})
