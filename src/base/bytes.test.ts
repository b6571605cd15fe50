import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  concatBytes,
  equalBytes,
  fromBase64,
  fromBase64Url,
  fromHex,
  text,
  toBase64,
  toBase64Url,
  toHex,
  utf8,
} from './bytes.ts'

const bytes = fc.uint8Array({ maxLength: 200 })
const same = (a: Uint8Array | undefined, b: Uint8Array): void => expect(a && [...a]).toEqual([...b])

describe('encodings', () => {
  it('to hexadecimal and back are inverse', () => {
    fc.assert(
      fc.property(bytes, (b) => {
        same(fromHex(toHex(b)), b)
      }),
    )
  })

  it('to base64url and back are inverse', () => {
    fc.assert(
      fc.property(bytes, (b) => {
        same(fromBase64Url(toBase64Url(b)), b)
      }),
    )
  })

  it('to base64 and back are inverse', () => {
    fc.assert(
      fc.property(bytes, (b) => {
        same(fromBase64(toBase64(b)), b)
      }),
    )
  })

  it('to UTF-8 and back are inverse, byte order marks included', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (s) => {
        expect(text(utf8(s))).toBe(s)
      }),
    )
    expect(text(utf8('\ufeffx'))).toBe('\ufeffx')
  })

  it('agree with the ones that Node brings', () => {
    fc.assert(
      fc.property(bytes, (b) => {
        const buffer = Buffer.from(b)
        expect([toHex(b), toBase64Url(b), toBase64(b)]).toEqual([
          buffer.toString('hex'),
          buffer.toString('base64url'),
          buffer.toString('base64'),
        ])
      }),
    )
  })

  it('have the test vectors of RFC 4648 section 10', () => {
    const vectors = {
      '': '',
      f: 'Zg==',
      fo: 'Zm8=',
      foo: 'Zm9v',
      foob: 'Zm9vYg==',
      fooba: 'Zm9vYmE=',
      foobar: 'Zm9vYmFy',
    }
    for (const [plain, encoded] of Object.entries(vectors)) expect(toBase64(utf8(plain))).toBe(encoded)
    expect(toHex(utf8('foobar'))).toBe('666f6f626172')
  })

  it('decode a text only if they would have written it: one value, one spelling', () => {
    const characters = fc.string({ unit: fc.constantFrom(...'AQgwB+/-_= 0aF'), maxLength: 12 })
    fc.assert(
      fc.property(characters, (s) => {
        for (const [decode, encode] of [
          [fromHex, toHex],
          [fromBase64Url, toBase64Url],
          [fromBase64, toBase64],
        ] as const) {
          const decoded = decode(s)
          if (decoded !== undefined) expect(encode(decoded)).toBe(s)
        }
      }),
      { numRuns: 2000 },
    )
  })

  it('refuse upper case hex, odd lengths, padding where there is none, and left-over bits', () => {
    for (const bad of ['A0', 'abc', 'g0', ' 00', '0x']) expect(fromHex(bad)).toBeUndefined()
    for (const bad of ['A', 'AB', 'AA==', 'AA+A', 'A A', 'AAB', 'é']) expect(fromBase64Url(bad)).toBeUndefined()
    for (const bad of ['AA', 'AA=', 'AB==', 'AAB=', 'AA-_', '====', 'AAAA====', 'AA=A', 'AA==\n'])
      expect(fromBase64(bad)).toBeUndefined()
  })

  it('refuse malformed UTF-8 rather than repair it', () => {
    for (const bad of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]])
      expect(() => text(Uint8Array.from(bad))).toThrow(TypeError)
  })
})

describe('byte strings', () => {
  it('joined and cut again are what they were', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        const joined = concatBytes(a, b)
        same(joined.subarray(0, a.length), a)
        same(joined.subarray(a.length), b)
      }),
    )
  })

  it('are equal only with equal length and content', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(equalBytes(a, b)).toBe(toHex(a) === toHex(b))
      }),
    )
    expect(equalBytes(Uint8Array.of(1), Uint8Array.of(1, 0))).toBe(false)
  })
})
