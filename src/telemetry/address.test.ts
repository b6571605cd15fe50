import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sharedPath } from '../../test/shared.ts'
import { addressText, addressWords, cachedAddresses, canonicalAddress, canonicalPaddedAddress } from './address.ts'

const word = fc.integer({ min: 0, max: 0xffffffff })
const address = fc.oneof(
  fc.tuple(word, word, word, word),
  fc.tuple(fc.constant(0), fc.constant(0), fc.constant(0xffff), word),
  fc.tuple(fc.constantFrom(0, 0x20010db8), fc.constantFrom(0, 1), fc.constantFrom(0, 0x10000), fc.constantFrom(0, 1)),
)

describe('addresses', () => {
  it('have a text that names the same 128 bits', () => {
    fc.assert(
      fc.property(address, (words) => {
        expect(addressWords(addressText(words))).toEqual(words)
      }),
    )
  })

  it('have one canonical text: canonicalising twice changes nothing', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const once = canonicalAddress(text)
        expect(once).toBeDefined()
        expect(canonicalAddress(once as string)).toBe(once)
        expect(canonicalAddress(text.toUpperCase())).toBe(once)
      }),
    )
  })

  it('are written as RFC 5952 asks', () => {
    const cases: Record<string, string> = {
      '2001:0db8:0:0:0:0:2:1': '2001:db8::2:1',
      '2001:db8:0:1:1:1:1:1': '2001:db8:0:1:1:1:1:1',
      '2001:0:0:1:0:0:0:1': '2001:0:0:1::1',
      '2001:db8:0:0:1:0:0:1': '2001:db8::1:0:0:1',
      '0:0::0': '::',
      '::ffff:192.0.2.128': '192.0.2.128',
      '::FFFF:c000:280': '192.0.2.128',
      '64:ff9b::192.0.2.33': '64:ff9b::c000:221',
    }
    for (const [spelling, canonical] of Object.entries(cases)) expect(canonicalAddress(spelling)).toBe(canonical)
  })

  it.each([
    '010.1.1.1',
    '10.1.1',
    '10.1.1.1.1',
    '10.1.1.256',
    '10.1.1.1 ',
    ' 10.1.1.1',
    '0x0a.1.1.1',
    '1e1.1.1.1',
    '10.1.1.1/24',
  ])('are refused where a spelling is ambiguous or none: %s', (text) => expect(canonicalAddress(text)).toBeUndefined())

  it.each([
    '',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '::12345',
    'fe80::1%eth0',
    '1.2.3.4::',
    'ab:ab:ab:ab:ab:ab',
    '[::1]',
    '1:2:3:4:5:6:7::8',
  ])('of IPv6 are refused where malformed: %s', (text) => expect(canonicalAddress(text)).toBeUndefined())

  it('of DARPA are padded to three digits, nowhere else', () => {
    expect(canonicalPaddedAddress('172.016.112.020')).toBe('172.16.112.20')
    expect(canonicalAddress('172.016.112.020')).toBeUndefined()
    expect(canonicalPaddedAddress('172.016.112.0020')).toBeUndefined()
  })

  it('come from the cache as from the parser, however many spellings an adversary invents', () => {
    const cached = cachedAddresses(canonicalAddress)
    const invented = Array.from({ length: 200_000 }, (_, i) => `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`)
    expect(invented.every((text) => cached(text) === text)).toBe(true)
    expect(cached('2001:DB8::1')).toBe('2001:db8::1')
    expect(cached('2001:DB8::1')).toBe('2001:db8::1')
    expect(cached('nonsense')).toBeUndefined()
  })

  const nasty = sharedPath('vectors/ingest/nasty-addresses.txt')
  it.skipIf(nasty === undefined)('in odd spellings become few names or are refused (reads shared vectors)', () => {
    const words = readFileSync(nasty as string, 'utf8').split(/\s+/)
    const found = words.filter((text) => canonicalAddress(text) !== undefined)
    expect(new Set(found.map(canonicalAddress))).toEqual(
      new Set([
        ...[
          '123.123.123.123',
          '2a02:db8:85a3::8a2e:370:7344',
          '8.8.8.8',
          '127.0.4.5',
          '192.168.42.42',
          '10.0.0.0',
          '::',
          '::1',
        ],
        ...['2001:b8:a3::2e:70:44', '192.0.2.128', 'fc00::', '2001:db8::1:0:0:1'],
      ]),
    )
    for (const mac of [
      'ab:ab:ab:ab:ab:ab',
      'FF:FF:FF:FF:FF:FF',
      '131.159.1.42/19',
      'fc00::/7',
      '0.0.0.0-255.255.255.255',
    ])
      expect(found).not.toContain(mac)
  })
})
