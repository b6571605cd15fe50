import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sharedPath } from '../../test/shared.ts'
import { fromHex, toBase64Url, toHex, utf8 } from './bytes.ts'
import { sha256 } from './hash.ts'
import { publicKeyOf, type SignatureDomain, sign, signRaw, verify, verifyRaw } from './signature.ts'

const bytes = (hex: string): Uint8Array => fromHex(hex) as Uint8Array

/** RFC 8032 section 7.1: secret key, public key, message, signature. */
const RFC_8032 = {
  'TEST 1': [
    '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    '',
    'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  ],
  'TEST 2': [
    '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    '72',
    '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  ],
  'TEST 3': [
    'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    'af82',
    '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  ],
  'TEST SHA(abc)': [
    '833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42',
    'ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf',
    'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
    'dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704',
  ],
} as const

describe('Ed25519', () => {
  it.each(Object.entries(RFC_8032))(
    'has the key and signature of RFC 8032 %s',
    (_, [secret, publicKey, message, signature]) => {
      expect(publicKeyOf(bytes(secret))).toBe(toBase64Url(bytes(publicKey)))
      expect(toHex(signRaw(bytes(message), bytes(secret)))).toBe(signature)
      expect(verifyRaw(bytes(message), bytes(signature), bytes(publicKey))).toBe(true)
    },
  )

  it('rejects a signature with any bit flipped, of another message or under another key', () => {
    const [secret, publicKey, message, signature] = RFC_8032['TEST 3'].map(bytes) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ]
    for (let bit = 0; bit < 512; bit++) {
      const flipped = signature.with(bit >> 3, (signature[bit >> 3] as number) ^ (1 << (bit & 7)))
      expect(verifyRaw(message, flipped, publicKey)).toBe(false)
    }
    expect(verifyRaw(utf8('other'), signature, publicKey)).toBe(false)
    expect(verifyRaw(message, signature, sha256(secret))).toBe(false)
  })

  it('answers false, and does not throw, for keys and signatures that are none', () => {
    const key = bytes(RFC_8032['TEST 1'][1])
    for (const length of [0, 31, 33, 63, 65]) {
      expect(verifyRaw(utf8('x'), new Uint8Array(length), key)).toBe(false)
      expect(verifyRaw(utf8('x'), new Uint8Array(64), new Uint8Array(length))).toBe(false)
    }
    expect(verifyRaw(utf8('x'), new Uint8Array(64), new Uint8Array(32).fill(0xff))).toBe(false)
    expect(verify('block', utf8('x'), 'not base64url!', 'nor this')).toBe(false)
  })
})

describe('a signature', () => {
  const secret = sha256(utf8('secret'))
  const publicKey = publicKeyOf(secret)
  const domains: SignatureDomain[] = ['envelope', 'block', 'registration']

  it('made for one purpose verifies for that purpose only', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.constantFrom(...domains), fc.constantFrom(...domains), (message, made, read) => {
        expect(verify(read, message, sign(made, message, secret), publicKey)).toBe(made === read)
      }),
      { numRuns: 50 },
    )
  })

  it('has one spelling: no padding, no other base64 alphabet, no left-over bits', () => {
    const signature = sign('block', utf8('x'), secret)
    expect(verify('block', utf8('x'), signature, publicKey)).toBe(true)
    for (const other of [
      `${signature}==`,
      ` ${signature}`,
      `${signature.slice(0, -1)}${signature.endsWith('A') ? 'B' : 'z'}`,
    ])
      expect(verify('block', utf8('x'), other, publicKey)).toBe(false)
  })
})

interface Wycheproof {
  readonly numberOfTests: number
  readonly testGroups: readonly {
    readonly publicKey: { readonly pk: string }
    readonly tests: readonly {
      readonly tcId: number
      readonly comment: string
      readonly msg: string
      readonly sig: string
      readonly result: string
    }[]
  }[]
}

const path = sharedPath('vectors/wycheproof/ed25519_test.json.gz')

describe.skipIf(!path)('Wycheproof (reads shared vectors wycheproof)', () => {
  it('judges every Ed25519 signature as its authors do', () => {
    const file = JSON.parse(gunzipSync(readFileSync(path ?? '')).toString()) as Wycheproof
    let judged = 0
    for (const { publicKey, tests } of file.testGroups)
      for (const { tcId, comment, msg, sig, result } of tests) {
        expect(verifyRaw(bytes(msg), bytes(sig), bytes(publicKey.pk)), `${tcId} ${comment}`).toBe(result === 'valid')
        judged++
      }
    expect(judged).toBe(file.numberOfTests)
  })
})
