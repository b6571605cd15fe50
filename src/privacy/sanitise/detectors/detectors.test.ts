import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { corpus } from '../corpus/corpus.ts'
import { evaluate } from '../corpus/evaluate.ts'
import { PLAIN_SPELLING } from '../fixtures.ts'
import { iban, luhn, mod11Over10, mod11Two } from './checksums.ts'
import { freeTextDetector } from './detectors.ts'

const detect = freeTextDetector((text) => PLAIN_SPELLING.parse(text) !== undefined)
const found = (text: string): string[] =>
  detect(text).map(({ detector, begin, end }) => `${detector}: ${text.slice(begin, end)}`)

describe('check digits', () => {
  it('accept the published examples', () => {
    expect(luhn('49927398716')).toBe(true) // ISO/IEC 7812-1
    expect(luhn('49927398717')).toBe(false)
    expect(iban('GB82WEST12345698765432')).toBe(true) // ISO 13616
    expect(iban('GB82WEST12345698765433')).toBe(false)
    expect(mod11Two('11010519491231002X')).toBe(true) // GB 11643-1999
    expect(mod11Over10('86095742719')).toBe(true) // example of the Bundeszentralamt fuer Steuern
  })
})

describe('detectors', () => {
  it.each([
    ['DNI 12345678Z of Spain', 'national-id: 12345678Z'],
    ['NIR 2 55 08 14 168 025 38 of France', 'national-id: 2 55 08 14 168 025 38'],
    ['codice fiscale RSSMRA85T10A562S', 'national-id: RSSMRA85T10A562S'],
    ['HETU 131052-308T', 'national-id: 131052-308T'],
    ['id 11010519491231002X', 'national-id: 11010519491231002X'],
    ['CPF 111.444.777-35', 'national-id: 111.444.777-35'],
    ['personnummer 811218-9876', 'national-id: 811218-9876'],
    ['rijksregister 93051822361', 'national-id: 93051822361'],
    ['Steuer-ID 86 095 742 719', 'national-id: 86 095 742 719'],
    ['PESEL 44051401359', 'national-id: 44051401359'],
    ['BSN 111222333', 'national-id: 111222333'],
    ['SSN 123-45-6789', 'national-id: 123-45-6789'],
  ])('find the example number in "%s"', (text, expected) => {
    expect(found(text)).toEqual([expected])
  })

  it.each([
    'DNI 12345678A',
    'NIR 2 55 08 14 168 025 39',
    'RSSMRA85T10A562T',
    '131052-308U',
    '110105194912310021',
    '111.444.777-36',
    'personnummer 811218-9877',
    'PESEL 44051401358',
    'BSN 111222334',
    'SSN 000-12-3456',
    'number 44051401359 without its name',
    'card 4111 1111 1111 1112',
  ])('let "%s" stand, whose check or name is missing', (text) => {
    expect(found(text)).toEqual([])
  })

  it.each([
    ['Account Name: frank', 'user-name: frank'],
    ['Subject: Account Name:\t\tfrank Account Domain:\t\tCORP', 'user-name: frank'],
    ['Account Name:\\t\\tfrank', 'user-name: frank'],
    ['session opened for user root(uid=0) by erin(uid=1000)', 'user-name: erin'],
    ['User mallory', 'user-name: mallory'],
    ['user alice logged in', 'user-name: alice'],
    ['login judy', 'user-name: judy'],
    ['logged in as judy', 'user-name: judy'],
    ['file:///Users/peggy', 'user-name: peggy'],
    ['<file:///C:/Users/peggy/x.txt>', 'user-name: peggy'],
    ['tool --password SuperSecret2 --force', 'password: SuperSecret2'],
    ['keytool -storepass SuperSecret2', 'password: SuperSecret2'],
    ['tool --api-key 0123456789abcdef', 'token: 0123456789abcdef'],
  ])('find the person or the secret in "%s"', (text, expected) => {
    expect(found(text)).toEqual([expected])
  })

  it.each([
    'user agent',
    'User-Agent: curl',
    'user agent-string',
    'login failed',
    'login page',
    'user not found',
    'logged in as root',
    'GET /login index.html',
    'multi-user target',
    'Account Name: SYSTEM',
    'Account Name: WS042$',
    'Account Name: -',
    'by (uid=0)',
    'logon of NT AUTHORITY with type 5',
    'the --password option',
    '--password --force',
    '--password-file /etc/tool/x',
    'file:///usr/share/doc',
  ])('let "%s" stand: words that announce, and nothing that follows', (text) => {
    expect(found(text)).toEqual([])
  })

  it('find what stands in one line once each', () => {
    expect(
      found('user=alice@example.org from 10.1.2.3 paid with 4111-1111-1111-1111, key AKIAIOSFODNN7EXAMPLE'),
    ).toEqual([
      'email: alice@example.org',
      'ip-address: 10.1.2.3',
      'card: 4111-1111-1111-1111',
      'token: AKIAIOSFODNN7EXAMPLE',
    ])
  })

  it('cover everything that any of them found, where they overlap', () => {
    expect(found('DE89370400440532013000 and password=4111111111111111')).toEqual([
      'iban: DE89370400440532013000',
      'password: 4111111111111111',
    ])
  })

  it('reach on the corpus what the readme says', () => {
    for (const { detector, labelled, recall, precision } of evaluate(corpus('test', 6000), detect)) {
      expect(labelled, detector).toBeGreaterThan(50)
      expect(recall, `recall of ${detector}`).toBeGreaterThanOrEqual(0.98)
      expect(precision, `precision of ${detector}`).toBeGreaterThanOrEqual(0.95)
    }
  })

  it('give findings in order, inside the text and without overlaps, for any text', () => {
    const pieces = fc.constantFrom(
      '4111111111111111',
      'a@b.cc',
      '10.0.0.1',
      'password=',
      ' ',
      'x',
      '::1',
      '+49',
      '-----BEGIN PRIVATE KEY-----',
      'user ',
      '"',
      '\\',
      'é',
      '🦉',
    )
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
        const text = parts.join('')
        let at = 0
        for (const { begin, end } of detect(text)) {
          expect(begin).toBeGreaterThanOrEqual(at)
          expect(end).toBeGreaterThan(begin)
          at = end
        }
        expect(at).toBeLessThanOrEqual(text.length)
      }),
    )
  })

  it('take no longer for a line that was made to stall them than its length explains', () => {
    const size = 1 << 16
    const fills = [
      'a',
      '1',
      '1.',
      ':',
      'a@',
      '-',
      '4111 ',
      'password=',
      '-----BEGIN ',
      'user ',
      'mysql ',
      'eyJ',
      '+1 ',
      'A\\',
      '://a:',
      '1:',
      'DE89 ',
      '/home/',
      'S',
      'sudo: ',
      'CN=a, ',
      'Account Name: ',
      'by ',
      'login ',
      'file://',
      '--password ',
      '-a-',
    ]
    for (const fill of fills) {
      const since = performance.now()
      detect(fill.repeat(size / fill.length))
      expect(performance.now() - since, JSON.stringify(fill)).toBeLessThan(3000)
    }
  })
})
