import { describe, expect, it } from 'vitest'
import { utf8 } from '../base/bytes.ts'
import { type Envelope, type EnvelopeHeader, signEnvelope } from '../base/envelope.ts'
import { EntenteError, fail } from '../base/errors.ts'
import { sha256 } from '../base/hash.ts'
import type { FederationId, Party } from '../base/ids.ts'
import { publicKeyOf } from '../base/signature.ts'
import { type AuthenticationContext, authenticate, CLOCK_SKEW_MS_MAX } from './authenticate.ts'

const secretOf = (name: string): Uint8Array => sha256(utf8(name))
const federation = 'finance-isac.example' as FederationId
const bank = 'bank-a' as Party
const NOW = 1_000_000_000

const context: AuthenticationContext = {
  federation,
  self: 'hub',
  now: NOW,
  peer: bank,
  keyOf(party, at) {
    if (party === 'gone') fail('organisation-removed', 'gone')
    if (party !== bank) fail('unknown-organisation', 'unknown')
    return publicKeyOf(secretOf(at >= NOW ? 'bank-a' : 'older key'))
  },
}

function envelope(change: Partial<Omit<EnvelopeHeader, 'bodyHash'>> = {}, signer = 'bank-a'): Envelope {
  const header = {
    type: 'contribution',
    id: 'e1',
    from: bank,
    to: 'hub',
    federation,
    issuedAt: NOW - 10,
    expiresAt: NOW + 10,
    ...change,
  } as const
  return signEnvelope(header, { value: 1 }, secretOf(signer))
}

function codeOf(sealed: Envelope, change: Partial<AuthenticationContext> = {}): string {
  try {
    authenticate(sealed, { ...context, ...change })
  } catch (error) {
    if (error instanceof EntenteError) return error.code
    throw error
  }
  return 'accepted'
}

describe('an envelope', () => {
  it('for us, from its sender, in time and signed is accepted', () => {
    expect(codeOf(envelope())).toBe('accepted')
  })

  it('for another recipient or federation is refused', () => {
    expect(codeOf(envelope({ to: 'bank-b' as Party }))).toBe('wrong-audience')
    expect(codeOf(envelope({ federation: 'health-isac.example' as FederationId }))).toBe('wrong-audience')
  })

  it('from another than the certificate names is refused as impersonation, well signed or not', () => {
    expect(codeOf(envelope(), { peer: 'bank-b' as Party })).toBe('impersonation')
    expect(codeOf(envelope({ from: 'bank-b' as Party }, 'bank-b'))).toBe('impersonation')
  })

  it('that came by mail, without a connection of its sender, is judged by its signature', () => {
    const { federation: name, self, now, keyOf } = context
    const mail: AuthenticationContext = { federation: name, self, now, keyOf }
    expect(() => authenticate(envelope(), mail)).not.toThrow()
    expect(() => authenticate(envelope({}, 'stranger'), mail)).toThrow(/not signed/)
  })

  it('expired, from the future, or with its times in the wrong order is refused', () => {
    expect(codeOf(envelope({ expiresAt: NOW }))).toBe('accepted')
    expect(codeOf(envelope({ expiresAt: NOW - 1 }))).toBe('envelope-expired')
    const ahead = NOW + CLOCK_SKEW_MS_MAX
    expect(codeOf(envelope({ issuedAt: ahead, expiresAt: ahead + 1 }))).toBe('accepted')
    expect(codeOf(envelope({ issuedAt: ahead + 1, expiresAt: ahead + 2 }))).toBe('envelope-expired')
    expect(codeOf(envelope({ issuedAt: NOW + 20, expiresAt: NOW + 10 }))).toBe('envelope-expired')
  })

  it('of an unknown or a removed organisation is refused, each with its own code', () => {
    expect(codeOf(envelope({ from: 'stranger' as Party }), { peer: 'stranger' as Party })).toBe('unknown-organisation')
    expect(codeOf(envelope({ from: 'gone' as Party }), { peer: 'gone' as Party })).toBe('organisation-removed')
  })

  it('dated back to when an older key was valid is judged by the key of now', () => {
    expect(codeOf(envelope({ issuedAt: 0 }, 'older key'))).toBe('signature-invalid')
  })

  it('with another body, header or signature than was signed is refused', () => {
    const good = envelope()
    expect(codeOf({ ...good, body: { value: 2 } })).toBe('digest-mismatch')
    expect(codeOf({ ...good, header: { ...good.header, id: 'e2' } })).toBe('signature-invalid')
    expect(codeOf({ ...good, signature: envelope({ id: 'e3' }).signature })).toBe('signature-invalid')
    expect(codeOf(envelope({}, 'stranger'))).toBe('signature-invalid')
  })

  it('with several faults is refused for the first that an eavesdropper learns least from', () => {
    expect(codeOf(envelope({ to: 'bank-b' as Party, from: 'stranger' as Party, expiresAt: 0 }, 'stranger'))).toBe(
      'wrong-audience',
    )
    expect(codeOf(envelope({ from: 'stranger' as Party, expiresAt: 0 }, 'stranger'))).toBe('impersonation')
    expect(codeOf(envelope({ expiresAt: 0 }, 'stranger'))).toBe('envelope-expired')
  })
})
