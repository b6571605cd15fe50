import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { fromHex, toBase64Url, toHex } from '../../base/bytes.ts'
import { sharedPath } from '../../../test/shared.ts'
import { agree, agreementKeyOf, agreementSecret, deriveKey, randomSecret } from './keys.ts'
import { keystream, randomBelow, seededBytes } from './keystream.ts'

const bytes = (hex: string): Uint8Array => fromHex(hex) as Uint8Array
const seed = (fill: number): Uint8Array => new Uint8Array(32).fill(fill)

interface Wycheproof {
  readonly testGroups: readonly {
    readonly tests: readonly { readonly public: string; readonly private: string; readonly shared: string }[]
  }[]
}
const wycheproof = sharedPath('vectors/wycheproof/x25519_test.json.gz')

describe('key agreement', () => {
  it('follows RFC 7748 section 6.1', () => {
    const alice = agreementSecret(bytes('77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a'))
    expect(agreementKeyOf(alice)).toBe(
      toBase64Url(bytes('8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a')),
    )
    const bob = toBase64Url(bytes('de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f'))
    expect(toHex(agree(alice, bob))).toBe('4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742')
  })

  it.skipIf(wycheproof === undefined)(
    'gives the secret of every Wycheproof case or refuses the key (reads shared vectors)',
    () => {
      const file = JSON.parse(gunzipSync(readFileSync(wycheproof ?? '')).toString()) as Wycheproof
      let refused = 0
      for (const test of file.testGroups.flatMap(({ tests }) => tests)) {
        const secret = agreementSecret(bytes(test.private))
        const attempt = (): string => toHex(agree(secret, toBase64Url(bytes(test.public))))
        if (/^0+$/.test(test.shared)) {
          expect(attempt).toThrow('small order')
          refused++
        } else expect(attempt()).toBe(test.shared)
      }
      expect(refused).toBeGreaterThan(0)
    },
  )

  it('refuses keys of small order and of another length', () => {
    const secret = agreementSecret(randomSecret(seededBytes(seed(1), 'a')))
    expect(() => agree(secret, toBase64Url(new Uint8Array(32)))).toThrow('small order')
    expect(() => agree(secret, toBase64Url(Uint8Array.of(1, ...new Uint8Array(31))))).toThrow('small order')
    expect(() => agree(secret, toBase64Url(new Uint8Array(31)))).toThrow('32 bytes')
    expect(() => agree(secret, 'no key')).toThrow('32 bytes')
  })
})

describe('derived keys', () => {
  it('differ by material, salt, purpose and each part', () => {
    const make = (fill: number, salt: number, purpose: 'pair-mask' | 'self-mask', parts: readonly string[]): string =>
      toHex(deriveKey(seed(fill), seed(salt), purpose, parts, 16))
    const all = [
      make(1, 1, 'pair-mask', ['r-1', 'a', 'b']),
      make(2, 1, 'pair-mask', ['r-1', 'a', 'b']),
      make(1, 2, 'pair-mask', ['r-1', 'a', 'b']),
      make(1, 1, 'self-mask', ['r-1', 'a', 'b']),
      make(1, 1, 'pair-mask', ['r-2', 'a', 'b']),
      make(1, 1, 'pair-mask', ['r-1', 'b', 'a']),
      make(1, 1, 'pair-mask', ['r-1', 'ab']),
    ]
    expect(new Set(all).size).toBe(all.length)
  })
})

describe('keystreams', () => {
  it('are AES-128 in counter mode: the blocks of NIST GCM test cases 1 and 2', () => {
    expect(toHex(keystream(new Uint8Array(16)).next(32))).toBe(
      '66e94bd4ef8a2c3b884cfa59ca342b2e58e2fccefa7e3061367f1d57a4e7455a',
    )
  })

  it('begin at any block with the bytes that they have there', () => {
    const key = new Uint8Array(16).fill(9)
    const whole = keystream(key).next(4096)
    expect(toHex(keystream(key, 1600).next(100))).toBe(toHex(whole.slice(1600, 1700)))
    expect(() => keystream(key, 8)).toThrow('multiple of 16')
  })

  it('out of a seed differ by label and repeat for equal ones', () => {
    expect(toHex(seededBytes(seed(1), 'a')(40))).toBe(toHex(seededBytes(seed(1), 'a')(40)))
    expect(toHex(seededBytes(seed(1), 'a')(40))).not.toBe(toHex(seededBytes(seed(1), 'b')(40)))
    expect(() => seededBytes(new Uint8Array(4), 'a')).toThrow('32 random bytes')
  })

  it('give uniform integers below a bound', () => {
    const random = seededBytes(seed(3), 'below')
    const counts = new Uint32Array(7)
    for (let i = 0; i < 7000; i++) counts[randomBelow(7, random)]!++
    const chiSquare = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0)
    expect(chiSquare).toBeLessThan(22.5)
  })
})
