import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sharedPath } from '../../../test/shared.ts'
import { fromHex } from '../../base/bytes.ts'
import { ff1 } from './ff1.ts'

const bytes = (hex: string): Uint8Array => fromHex(hex.toLowerCase()) ?? new Uint8Array()
const numerals = (text: string): number[] => [...text].map((digit) => Number.parseInt(digit, 36))
const textOf = (values: readonly number[]): string => values.map((value) => value.toString(36)).join('')

type Sample = readonly [radix: number, key: string, tweak: string, plaintext: string, ciphertext: string]

function holds([radix, key, tweak, plaintext, ciphertext]: Sample): void {
  const cipher = ff1(bytes(key), radix)
  expect(textOf(cipher.encrypt(numerals(plaintext), bytes(tweak)))).toBe(ciphertext)
  expect(textOf(cipher.decrypt(numerals(ciphertext), bytes(tweak)))).toBe(plaintext)
}

describe('FF1 (NIST SP 800-38G)', () => {
  const path = sharedPath('vectors/ff1/ff1-nist-sp800-38g.json')

  it.skipIf(path === undefined)('gives the nine samples of NIST (reads shared vectors)', () => {
    const { vectors } = JSON.parse(readFileSync(path ?? '', 'utf8')) as { vectors: Sample[] }
    expect(vectors).toHaveLength(9)
    for (const sample of vectors) holds(sample)
  })

  it('gives sample 3 of NIST', () => {
    const key = '2B7E151628AED2A6ABF7158809CF4F3C'
    holds([36, key, '3737373770717273373737', '0123456789abcdefghi', 'a9tv40mll9kdu509eum'])
  })

  it('is undone by the key, for every radix and length', () => {
    const strings = fc
      .integer({ min: 2, max: 65_536 })
      .chain((radix) =>
        fc.tuple(
          fc.constant(radix),
          fc.array(fc.integer({ min: 0, max: radix - 1 }), { minLength: 20, maxLength: 60 }),
        ),
      )
    fc.assert(
      fc.property(strings, fc.uint8Array({ maxLength: 40 }), ([radix, plain], tweak) => {
        const cipher = ff1(new Uint8Array(32).fill(7), radix)
        const secret = cipher.encrypt(plain, tweak)
        expect(secret).toHaveLength(plain.length)
        expect(cipher.decrypt(secret, tweak)).toEqual(plain)
      }),
      { numRuns: 60 },
    )
  })

  it('refuses a domain of fewer than a million values: its table could be learned', () => {
    expect(() => ff1(new Uint8Array(16), 10).encrypt([1, 2, 3, 4, 5])).toThrow('at least 1000000')
    expect(() => ff1(new Uint8Array(16), 10).encrypt([1, 2, 3, 4, 5, 10])).toThrow('below the radix')
  })
})
