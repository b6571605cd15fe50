import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { utf8 } from './bytes.ts'
import { canonicalJson } from './canonical.ts'
import { type Envelope, parseEnvelope, signEnvelope, verifyEnvelope } from './envelope.ts'
import { EntenteError } from './errors.ts'
import { sha256 } from './hash.ts'
import type { FederationId, Party } from './ids.ts'
import { publicKeyOf, sign } from './signature.ts'

const secret = sha256(utf8('bank-a'))
const publicKey = publicKeyOf(secret)

const header = {
  type: 'contribution',
  id: 'e1',
  from: 'bank-a' as Party,
  to: 'hub' as Party,
  federation: 'finance-isac.example' as FederationId,
  issuedAt: 1000,
  expiresAt: 2000,
}
const body = { round_id: 't1-1', values: [1, 2.5, 'x'] }
const envelope = signEnvelope(header, body, secret)

function codeOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (error instanceof EntenteError) return error.code
    throw error
  }
  return 'accepted'
}

const verified = (changed: Envelope): string => codeOf(() => verifyEnvelope(changed, publicKey))

describe('an envelope', () => {
  it('verifies under the key that signed it, and after a journey as JSON in any order of members', () => {
    expect(verified(envelope)).toBe('accepted')
    expect(verified(parseEnvelope(JSON.parse(JSON.stringify(envelope))))).toBe('accepted')
    const { type, ...rest } = envelope.header
    expect(verified({ ...envelope, header: { ...rest, type } })).toBe('accepted')
  })

  it('with any field of its header changed, added or left out is rejected', () => {
    const changes = {
      type: 'leave',
      id: 'e2',
      from: 'bank-b',
      to: 'bank-b',
      federation: 'other',
      issuedAt: 1001,
      expiresAt: 2001,
      replyTo: 'e0',
    }
    for (const [name, value] of Object.entries(changes)) {
      expect(verified({ ...envelope, header: { ...envelope.header, [name]: value } as never }), name).toBe(
        'signature-invalid',
      )
      const without = Object.fromEntries(Object.entries(envelope.header).filter(([key]) => key !== name))
      if (name !== 'replyTo')
        expect(verified({ ...envelope, header: without as never }), `without ${name}`).toBe('signature-invalid')
    }
  })

  it('with another body is rejected, even if its digest is put into the header', () => {
    const other = signEnvelope(header, { ...body, round_id: 't1-2' }, sha256(utf8('thief')))
    expect(verified({ ...envelope, body: other.body })).toBe('digest-mismatch')
    expect(verified({ ...envelope, body: other.body, header: other.header })).toBe('signature-invalid')
    expect(verified(other)).toBe('signature-invalid')
  })

  it('is not verified by a signature that was made over the same bytes for another purpose', () => {
    const signature = sign('registration', utf8(canonicalJson(envelope.header)), secret)
    expect(verified({ ...envelope, signature })).toBe('signature-invalid')
  })

  it('with any character of its text changed is rejected', () => {
    const text = canonicalJson(envelope)
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.integer({ min: 32, max: 126 }), (at, code) => {
        const changed = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1)
        fc.pre(changed !== text)
        expect(
          codeOf(() => {
            let value: unknown
            try {
              value = JSON.parse(changed)
            } catch {
              value = undefined
            }
            verifyEnvelope(parseEnvelope(value), publicKey)
          }),
        ).not.toBe('accepted')
      }),
      { numRuns: 400 },
    )
  })

  it('of another form is refused with the name of the field', () => {
    const bad: [string, unknown][] = [
      ['', null],
      ['', []],
      ['header.id', { ...envelope, header: { ...envelope.header, id: '' } }],
      ['header.from', { ...envelope, header: { ...envelope.header, from: 7 } }],
      ['header.issuedAt', { ...envelope, header: { ...envelope.header, issuedAt: 1.5 } }],
      ['header.expiresAt', { ...envelope, header: { ...envelope.header, expiresAt: -1 } }],
      ['header.bodyHash', { ...envelope, header: { ...envelope.header, bodyHash: 'ABC' } }],
      ['signature', { ...envelope, signature: 'x' }],
      ['header', { ...envelope, header: { ...envelope.header, extra: 1 } }],
      ['', { ...envelope, extra: 1 }],
    ]
    for (const [field, value] of bad) {
      expect(codeOf(() => parseEnvelope(value))).toBe('invalid-request')
      expect(() => parseEnvelope(value)).toThrow(`not an envelope: ${field}: `)
    }
  })

  it('that smuggles members in under __proto__ is refused', () => {
    const text = JSON.stringify(envelope)
    for (const smuggled of [
      text.replace('{"header":{', '{"header":{"__proto__":{"to":"bank-b"},'),
      text.replace('{', '{"__proto__":{"x":1},'),
    ])
      expect(codeOf(() => verifyEnvelope(parseEnvelope(JSON.parse(smuggled)), publicKey))).not.toBe('accepted')
  })
})
