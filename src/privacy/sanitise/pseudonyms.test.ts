import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ff1 } from './ff1.ts'
import { PLAIN_SPELLING, TEST_KEYS, TEST_SECRET } from './fixtures.ts'
import { deriveKeys } from './keys.ts'
import { pseudonymsOf } from './pseudonyms.ts'

const pseudonyms = pseudonymsOf(TEST_KEYS, PLAIN_SPELLING)

describe('keys of sanitising', () => {
  it('differ by purpose, federation and epoch, and by nothing else', () => {
    const scopes = [
      { federation: 'a', epoch: 'bc' },
      { federation: 'ab', epoch: 'c' },
      { federation: 'a', epoch: 'b' },
    ]
    const all = scopes.flatMap((scope) => Object.values(deriveKeys(TEST_SECRET, scope)).map((key) => key.join()))
    expect(new Set(all).size).toBe(9)
    expect(deriveKeys(TEST_SECRET, { federation: 'a', epoch: 'b' })).toEqual(
      deriveKeys(TEST_SECRET, { federation: 'a', epoch: 'b' }),
    )
  })

  it('need a secret of full length and a scope', () => {
    expect(() => deriveKeys(new Uint8Array(16), { federation: 'a', epoch: 'b' })).toThrow('32 bytes')
    expect(() => deriveKeys(TEST_SECRET, { federation: '', epoch: 'b' })).toThrow('1 to 255')
  })
})

describe('pseudonyms', () => {
  it('are equal for equal values, whatever the case, and differ by category', () => {
    expect(pseudonyms.of('user', 'Alice')).toBe(pseudonyms.of('user', 'alice'))
    expect(pseudonyms.of('user', 'alice')).toMatch(/^user-[a-z2-7]{16}$/)
    expect(pseudonyms.of('user', 'alice').slice(5)).not.toBe(pseudonyms.of('host', 'alice').slice(5))
  })

  it('of two federations cannot be linked', () => {
    const other = pseudonymsOf(deriveKeys(TEST_SECRET, { federation: 'other', epoch: '2026-11' }), PLAIN_SPELLING)
    expect(other.of('user', 'alice')).not.toBe(pseudonyms.of('user', 'alice'))
    expect(other.address('10.1.2.3')).not.toBe(pseudonyms.address('10.1.2.3'))
    expect(other.number('123456789')).not.toBe(pseudonyms.number('123456789'))
  })

  it('of names keep who is below whom', () => {
    const [www = '', mail = '', other = ''] = ['www.example.org', 'mail.example.org', 'www.example.com'].map(
      pseudonyms.name,
    )
    expect(www.split('.').slice(1)).toEqual(mail.split('.').slice(1))
    expect(www.split('.')[0]).not.toBe(mail.split('.')[0])
    expect(www.split('.')[0]).not.toBe(other.split('.')[0])
    expect(www).toMatch(/^h-[a-z2-7]{16}\.h-[a-z2-7]{16}\.org$/)
    expect(pseudonyms.name('corp\\john.doe')).not.toMatch(/john|doe|corp/)
    expect(pseudonyms.name('pc7.example.org|c:\\users\\zoe\\evil.exe')).not.toMatch(/pc7|example|zoe|evil|exe/)
    expect(pseudonyms.name('EXAMPLE.org.')).toBe(pseudonyms.name('example.org'))
  })

  it('of numbers are numbers that JSON keeps, of as many digits, one for each, undone by the key', () => {
    const decimal = ff1(TEST_KEYS.format, 10)
    const undone = (text: string): string => {
      let numerals = [...text].map(Number)
      do numerals = decimal.decrypt(numerals)
      while (numerals[0] === 0 || Number(numerals.join('')) > Number.MAX_SAFE_INTEGER)
      return numerals.join('')
    }
    fc.assert(
      fc.property(fc.integer({ min: 100_000, max: Number.MAX_SAFE_INTEGER }), (value) => {
        const secret = pseudonyms.number(String(value)) ?? ''
        expect(secret).toHaveLength(String(value).length)
        expect(String(Number(secret))).toBe(secret)
        expect(undone(secret)).toBe(String(value))
      }),
      { numRuns: 50 },
    )
    expect(pseudonyms.number('12345')).toBeUndefined()
    expect(pseudonyms.number('99999999999999999')).toBeUndefined()
  })

  it("of Zeek's ids keep their form", () => {
    expect(pseudonyms.identifier('CqKst53mF3det3eDV9')).toMatch(/^C[0-9A-Za-z]{17}$/)
    expect(pseudonyms.identifier('CqKst53mF3det3eDV9')).not.toBe('CqKst53mF3det3eDV9')
    expect(pseudonyms.identifier('no id')).toBeUndefined()
  })
})
