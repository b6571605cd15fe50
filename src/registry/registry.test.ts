import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { utf8 } from '../base/bytes.ts'
import { EntenteError } from '../base/errors.ts'
import { sha256, sha256Hex } from '../base/hash.ts'
import type { OrganisationId } from '../base/ids.ts'
import { publicKeyOf } from '../base/signature.ts'
import { registryMachine } from './machine.ts'
import { activeOrganisations, keyAt, membersFor, membersOf } from './read.ts'
import type { InvitationIssued, OrganisationRegistered, RegistryEvent, RegistryState } from './state.ts'

const org = (name: string): OrganisationId => name as OrganisationId
const keyOf = (name: string): string => publicKeyOf(sha256(utf8(name)))
const tokenHash = (token: string) => sha256Hex(utf8(token))
const empty = registryMachine.initial('registry')

const invited = (token: string, change: Partial<InvitationIssued> = {}): InvitationIssued => ({
  type: 'invitation-issued',
  tokenHash: tokenHash(token),
  expiresAt: 1000,
  at: 0,
  ...change,
})

const registered = (
  token: string,
  name: string,
  change: Partial<OrganisationRegistered> = {},
): OrganisationRegistered => ({
  type: 'organisation-registered',
  tokenHash: tokenHash(token),
  organisation: org(name),
  signingKey: keyOf(name),
  agreementKey: keyOf(`agreement ${name}`),
  endpoint: '',
  capabilities: ['train'],
  at: 100,
  ...change,
})

const left = (name: string, at: number): RegistryEvent => ({ type: 'organisation-left', organisation: org(name), at })
const removed = (name: string, at: number): RegistryEvent => ({
  type: 'organisation-removed',
  organisation: org(name),
  reason: 'compromised',
  at,
})

function replay(...events: RegistryEvent[]): RegistryState {
  return events.reduce((state, event) => registryMachine.step(state, event).state, empty)
}

function codeOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (error instanceof EntenteError) return error.code
    throw error
  }
  return 'accepted'
}

const after = (state: RegistryState, event: RegistryEvent): string => codeOf(() => registryMachine.step(state, event))

const joined = replay(invited('one'), invited('two'), registered('one', 'bank-a'))

describe('an invitation', () => {
  it('admits once', () => {
    expect(activeOrganisations(joined)).toEqual(['bank-a'])
    expect(after(joined, registered('one', 'bank-b'))).toBe('invitation-invalid')
    expect(after(joined, registered('two', 'bank-b'))).toBe('accepted')
  })

  it('unknown, expired or for another organisation admits nobody', () => {
    expect(after(joined, registered('three', 'bank-b'))).toBe('invitation-invalid')
    expect(after(joined, registered('two', 'bank-b', { at: 999 }))).toBe('accepted')
    expect(after(joined, registered('two', 'bank-b', { at: 1000 }))).toBe('invitation-invalid')
    const named = replay(invited('one', { organisation: org('bank-a') }))
    expect(after(named, registered('one', 'bank-b'))).toBe('invitation-invalid')
    expect(after(named, registered('one', 'bank-a'))).toBe('accepted')
  })

  it('that expires before it is issued, or whose token was issued before, is refused', () => {
    expect(after(empty, invited('one', { expiresAt: 0 }))).toBe('invalid-request')
    expect(after(joined, invited('two', { expiresAt: 2000 }))).toBe('already-exists')
    expect(after(joined, invited('one'))).toBe('already-exists')
    expect(registryMachine.step(joined, invited('two')).state).toBe(joined)
  })

  it('that nobody used is forgotten once it has expired', () => {
    expect(Object.keys(replay(invited('one'), invited('two', { at: 2000, expiresAt: 3000 })).invitations)).toEqual([
      tokenHash('two'),
    ])
  })
})

describe('a registration', () => {
  it('repeated after a lost reply changes nothing, even when the invitation has expired since', () => {
    for (const at of [100, 200, 5000])
      expect(registryMachine.step(joined, registered('one', 'bank-a', { at })).state).toBe(joined)
  })

  it('repeated with other keys is refused', () => {
    expect(after(joined, registered('one', 'bank-a', { signingKey: keyOf('thief') }))).toBe('invitation-invalid')
    expect(after(joined, registered('one', 'bank-a', { agreementKey: keyOf('thief') }))).toBe('invitation-invalid')
  })

  it('of a name that is taken is refused, and the invitation stays good', () => {
    expect(after(joined, registered('two', 'bank-a', { signingKey: keyOf('thief') }))).toBe('organisation-exists')
    expect(after(joined, registered('two', 'bank-b'))).toBe('accepted')
  })

  it("with another organisation's signing key is refused: one party would count as two", () => {
    expect(after(joined, registered('two', 'bank-b', { signingKey: keyOf('bank-a') }))).toBe('organisation-exists')
  })

  it('under a name that is none, with a key that is none, or with too much of anything is refused', () => {
    for (const name of ['hub', '__proto__', '', 'Bank', '-a', 'a'.repeat(64)])
      expect(after(joined, registered('two', name))).toBe('invalid-request')
    const bad: Partial<OrganisationRegistered>[] = [
      { signingKey: 'AAAA' },
      { agreementKey: '' },
      { endpoint: 'x'.repeat(2049) },
      { capabilities: Array.from({ length: 65 }, () => 'x') },
      { capabilities: ['x'.repeat(65)] },
    ]
    for (const change of bad) expect(after(joined, registered('two', 'bank-b', change))).toBe('invalid-request')
  })

  it('of an organisation called "constructor" is like any other', () => {
    expect(codeOf(() => keyAt(empty, org('constructor'), 0))).toBe('unknown-organisation')
    expect(activeOrganisations(replay(invited('one'), registered('one', 'constructor')))).toEqual(['constructor'])
  })
})

describe('an organisation', () => {
  const gone = replay(invited('one'), registered('one', 'bank-a'), left('bank-a', 500))
  const expelled = replay(invited('one'), registered('one', 'bank-a'), removed('bank-a', 500))

  it('has a key from when it joined until it left or was removed, and keeps it for that time', () => {
    expect(codeOf(() => keyAt(joined, org('bank-a'), 99))).toBe('unknown-organisation')
    expect(keyAt(joined, org('bank-a'), 100)).toBe(keyOf('bank-a'))
    for (const state of [gone, expelled]) {
      expect(keyAt(state, org('bank-a'), 499)).toBe(keyOf('bank-a'))
      expect(codeOf(() => keyAt(state, org('bank-a'), 500))).toBe('organisation-removed')
      expect(activeOrganisations(state)).toEqual([])
    }
    expect(codeOf(() => keyAt(joined, org('bank-b'), 100))).toBe('unknown-organisation')
  })

  it('that left stays verifiable, but is no member at a later time', () => {
    expect(membersOf(gone)).toEqual({ 'bank-a': [keyOf('bank-a')] })
    expect(membersOf(gone, 499)).toEqual({ 'bank-a': [keyOf('bank-a')] })
    expect(membersOf(gone, 500)).toEqual({})
    expect(membersOf(gone, 99)).toEqual({})
  })

  it('that signed a block is one of its members even if the clock of the hub had gone back', () => {
    expect(membersFor(gone, 99, ['bank-a'])).toEqual({ 'bank-a': [keyOf('bank-a')] })
    expect(membersFor(gone, 99, [])).toEqual({})
    expect(membersFor(gone, 499, [])).toEqual({ 'bank-a': [keyOf('bank-a')] })
  })

  it('that left may come back with a new invitation and a new key; the time between stays closed', () => {
    const events = [
      invited('two', { at: 600, expiresAt: 900 }),
      registered('two', 'bank-a', { at: 700, signingKey: keyOf('new key') }),
    ] as const
    const back = events.reduce<RegistryState>((state, event) => registryMachine.step(state, event).state, gone)
    expect(keyAt(back, org('bank-a'), 700)).toBe(keyOf('new key'))
    expect(codeOf(() => keyAt(back, org('bank-a'), 600))).toBe('organisation-removed')
    expect(keyAt(back, org('bank-a'), 300)).toBe(keyOf('bank-a'))
    expect(membersOf(back)).toEqual({ 'bank-a': [keyOf('bank-a'), keyOf('new key')] })
  })

  it('that was removed comes back only by an invitation that names it', () => {
    const open = registryMachine.step(expelled, invited('two', { at: 600, expiresAt: 900 })).state
    expect(after(open, registered('two', 'bank-a', { at: 700 }))).toBe('organisation-removed')
    const named = registryMachine.step(
      expelled,
      invited('two', { at: 600, expiresAt: 900, organisation: org('bank-a') }),
    ).state
    expect(after(named, registered('two', 'bank-a', { at: 700 }))).toBe('accepted')
  })

  it('gone twice is gone once; removal after leaving is recorded; leaving does not undo removal', () => {
    expect(registryMachine.step(gone, left('bank-a', 600)).state).toBe(gone)
    expect(registryMachine.step(gone, removed('bank-a', 600)).state.organisations[org('bank-a')]).toMatchObject({
      status: 'removed',
      leftAt: 500,
      reason: 'compromised',
    })
    expect(registryMachine.step(expelled, left('bank-a', 600)).state).toBe(expelled)
    expect(after(empty, left('bank-a', 1))).toBe('unknown-organisation')
  })
})

describe('the registry', () => {
  it('replays any accepted events to the same state, through JSON, and never admits twice by one invitation', () => {
    const name = fc.constantFrom('bank-a', 'bank-b', 'constructor')
    const token = fc.constantFrom('one', 'two', 'three')
    const at = fc.integer({ min: 0, max: 1200 })
    const event: fc.Arbitrary<RegistryEvent> = fc.oneof(
      fc.tuple(token, at).map(([t, time]) => invited(t, { at: time, expiresAt: time + 300 })),
      fc
        .tuple(token, name, name, at)
        .map(([t, n, key, time]) => registered(t, n, { signingKey: keyOf(key), at: time })),
      fc.tuple(name, at).map(([n, time]) => left(n, time)),
      fc.tuple(name, at).map(([n, time]) => removed(n, time)),
    )
    fc.assert(
      fc.property(fc.array(event, { maxLength: 30 }), (events) => {
        let state = empty
        let replayed = empty
        for (const arrival of events) {
          if (after(state, arrival) !== 'accepted') continue
          state = registryMachine.step(state, arrival).state
          replayed = registryMachine.step(
            JSON.parse(JSON.stringify(replayed)) as RegistryState,
            JSON.parse(JSON.stringify(arrival)) as RegistryEvent,
          ).state
        }
        expect(JSON.stringify(replayed)).toBe(JSON.stringify(state))
        const owners = Object.values(membersOf(state)).flat()
        expect(new Set(owners).size).toBe(owners.length)
      }),
    )
  })
})
