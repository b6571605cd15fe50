import { describe, expect, it } from 'vitest'
import { toBase64Url, utf8 } from '../../base/bytes.ts'
import { sha256 } from '../../base/hash.ts'
import { digest, type OrganisationId } from '../../base/ids.ts'
import { exposureOf } from './exposure.suite.ts'
import { nameOf } from './fixtures.ts'
import { agreementKeyOf, agreementSecret } from './keys.ts'
import { LyingHub } from './lying-hub.suite.ts'

const start = (round = 'training-1'): LyingHub => new LyingHub({ seed: 'hub', count: 10, round })
const corrupt = new Set([nameOf(8), nameOf(9)])
const without = <T extends { readonly organisation: OrganisationId }>(all: readonly T[], ...gone: number[]): T[] =>
  all.filter(({ organisation }) => !gone.some((i) => organisation === nameOf(i)))
const hidden = { readable: [], bothOpen: [] }

/** Ten are invited, two are corrupt: 7 signatures are needed. */
describe('a lying hub', () => {
  it('learns the sum of all and nothing else when it follows the protocol', () => {
    const hub = start()
    hub.quorum(hub.survivors(hub.upToVectors()))
    expect(hub.refusals).toEqual([])
    const honest = hub.names.filter((name) => !corrupt.has(name))
    expect(exposureOf(hub.world, corrupt)).toMatchObject({ readable: [honest], bothOpen: [] })
  })

  it('cannot name one participant survivor to some and dropout to others: neither set has a quorum', () => {
    const hub = start()
    const vectors = hub.upToVectors()
    const others = without(vectors, 0)
    const half = [1, 2, 3].map(nameOf)
    const rest = [0, 4, 5, 6, 7].map(nameOf)
    hub.survivors(others, half)
    hub.survivors(vectors, rest)
    const signed = hub.sent('masking-agreement')
    const by = (names: readonly OrganisationId[]) => signed.filter(({ organisation }) => names.includes(organisation))
    const bribed = (survivors: typeof vectors) => [...corrupt].map((name) => hub.corruptAgreement(name, survivors))
    hub.quorum([...by(half), ...bribed(others)], half)
    hub.quorum([...by(rest), ...bribed(vectors)].slice(0, 6), rest)
    expect(hub.refusals).toEqual(Array.from({ length: 8 }, () => 'forbidden'))
    expect(exposureOf(hub.world, corrupt)).toMatchObject({ ...hidden, revealedShares: expect.any(Number) })
    expect(hub.sent('masking-reveal')).toEqual([])
  })

  it('gets one signature of each: a second, different survivor set is refused with both', () => {
    const hub = start()
    const vectors = hub.upToVectors()
    hub.survivors(vectors)
    hub.survivors(without(vectors, 0), [nameOf(1)])
    expect(hub.world.refused[0]?.error).toMatchObject({ code: 'forbidden', details: { accepted: expect.any(String) } })
    expect(hub.sent('masking-agreement')).toHaveLength(10)
  })

  it('cannot pad a quorum: signatures that are forged, doubled, of strangers or of another set are refused', () => {
    const hub = start()
    const vectors = hub.upToVectors()
    const signed = hub.survivors(vectors)
    const [one, ...more] = signed
    if (one === undefined) throw new Error('nobody signed')
    const other = hub.corruptAgreement(nameOf(9), without(vectors, 0))
    for (const padded of [
      signed.slice(0, 6),
      [...signed.slice(0, 6), ...signed.slice(5, 6)],
      [...signed.slice(0, 6), { ...one, organisation: nameOf(7) }],
      [...signed.slice(0, 6), other],
      [...more.slice(0, 6), { ...one, organisation: 'zz-stranger' as OrganisationId }],
    ])
      hub.quorum(padded, [nameOf(3)])
    expect(hub.refusals).toEqual([
      'forbidden',
      'invalid-request',
      'signature-invalid',
      'signature-invalid',
      'invalid-request',
    ])
    expect(hub.sent('masking-reveal')).toEqual([])
  })

  it('cannot put its own keys in place of a participant’s, nor unsigned ones (defect: unsigned public keys)', () => {
    const hub = start()
    const keys = hub.open()
    const own = agreementKeyOf(agreementSecret(sha256(utf8('the hub'))))
    for (const change of [{ maskKey: own }, { boxKey: own }, { weight: 9999 }, { signature: 'A'.repeat(86) }])
      hub.roster(
        keys.map((one) => (one.organisation === nameOf(4) ? { ...one, ...change } : one)),
        [nameOf(1)],
      )
    expect(hub.refusals).toEqual(['signature-invalid', 'signature-invalid', 'signature-invalid', 'signature-invalid'])
    expect(hub.sent('masking-shares')).toEqual([])
  })

  it('cannot bring keys or signatures of another round', () => {
    const earlier = start('training-1')
    const vectors = earlier.upToVectors()
    const signed = earlier.survivors(vectors)
    const later = start('training-2')
    const keys = later.open()
    later.roster([...keys.slice(0, 9), ...earlier.sent('masking-keys').slice(9)], [nameOf(1)])
    expect(later.refusals).toEqual(['signature-invalid'])
    later.roster(keys)
    later.inbox()
    later.survivors(vectors, [nameOf(1)])
    later.survivors(later.sent('masking-input'), [nameOf(2)])
    later.quorum(signed, [nameOf(2)])
    expect(later.refusals.slice(1)).toEqual(['invalid-request', 'signature-invalid'])
  })

  it('cannot make a round of few: a roster, sharers or survivors below the quorum are refused', () => {
    const hub = start()
    const keys = hub.open()
    hub.roster(keys.slice(0, 6), [nameOf(1)])
    hub.roster(keys)
    const few = hub.names.slice(0, 6)
    hub.inbox([nameOf(1)], few)
    hub.inbox()
    hub.survivors(without(hub.sent('masking-input'), 0, 2, 3, 4), [nameOf(1)])
    expect(hub.refusals).toEqual(['forbidden', 'forbidden', 'forbidden'])
    expect(exposureOf(hub.world, corrupt)).toMatchObject(hidden)
  })

  it('cannot show one participant a shorter list of sharers, so that it leaves out masks, and have it unmasked', () => {
    const hub = start()
    hub.roster(hub.open())
    const victim = nameOf(0)
    // The least that the victim accepts: both corrupt ones are in it.
    hub.inbox([victim], [0, 1, 2, 3, 4, 8, 9].map(nameOf))
    hub.inbox(hub.names.slice(1))
    const vectors = hub.sent('masking-input').sort((a, b) => (a.organisation < b.organisation ? -1 : 1))
    expect(vectors).toHaveLength(10)
    hub.survivors(vectors, hub.names.slice(1, 8))
    expect(hub.refusals).toEqual(Array.from({ length: 7 }, () => 'signature-invalid'))
    expect(exposureOf(hub.world, corrupt)).toMatchObject(hidden)
  })

  it('cannot pass a box off as another’s, change it, double it or leave one out', () => {
    const hub = start()
    hub.roster(hub.open())
    const honest = hub.inboxFor(nameOf(1))
    const [first, second, ...rest] = honest.boxes
    if (first === undefined || second === undefined) throw new Error('no boxes')
    hub.tell(nameOf(1), { type: 'inbox', inbox: { ...honest, boxes: [first, first, ...rest] }, at: 0 })
    hub.tell(nameOf(1), { type: 'inbox', inbox: { ...honest, boxes: [second, ...rest] }, at: 0 })
    hub.tell(nameOf(1), {
      type: 'inbox',
      inbox: { ...honest, boxes: [...honest.boxes, { ...first, from: nameOf(1) }] },
      at: 0,
    })
    expect(hub.refusals).toEqual(['invalid-request', 'invalid-request', 'invalid-request'])
    const swapped = [{ ...first, box: second.box }, { ...second, box: first.box }, ...rest]
    hub.tell(nameOf(1), { type: 'inbox', inbox: { ...honest, boxes: swapped }, at: 0 })
    hub.inbox(hub.names.filter((name) => name !== nameOf(1)))
    const vectors = hub.sent('masking-input').sort((a, b) => (a.organisation < b.organisation ? -1 : 1))
    hub.quorum(hub.survivors(vectors), [nameOf(1)])
    // The two swapped boxes do not open: their shares are missing, nothing else is revealed in their place.
    expect(hub.sent('masking-reveal')[0]?.owners).toEqual([1, 3, 4, 5, 6, 7, 8, 9])
  })

  it('cannot leave a survivor out of its own list, or name another vector of it', () => {
    const hub = start()
    const vectors = hub.upToVectors()
    hub.survivors(without(vectors, 1), [nameOf(1)])
    const other = { vector: digest('ab'.repeat(32)) }
    hub.survivors(
      vectors.map((one) => (one.organisation === nameOf(1) ? { ...one, ...other } : one)),
      [nameOf(1)],
    )
    hub.survivors(
      vectors.map((one) => (one.organisation === nameOf(2) ? { ...one, ...other } : one)),
      [nameOf(1)],
    )
    expect(hub.refusals).toEqual(['invalid-request', 'invalid-request', 'signature-invalid'])
  })

  it('has no second try with other messages: each phase takes one version', () => {
    const hub = start()
    const keys = hub.open()
    hub.roster(keys)
    hub.roster(keys.slice(0, 9), [nameOf(1)])
    hub.inbox()
    hub.inbox([nameOf(1)], hub.names.slice(0, 9))
    const { context } = hub.world
    const seed = toBase64Url(sha256(utf8('again')))
    hub.tell(nameOf(1), { type: 'opened', context: { ...context, length: 1 }, weight: 1, rounding: '', seed, at: 0 })
    expect(hub.refusals).toEqual(['forbidden', 'forbidden', 'forbidden'])
  })

  it('gets nothing out of turn, and nothing after the end', () => {
    const hub = start()
    const keys = hub.open()
    hub.quorum([], [nameOf(1)])
    hub.tell(nameOf(2), { type: 'abandoned', reason: 'x', at: 0 })
    hub.roster(keys)
    expect(hub.refusals).toEqual(['invalid-request'])
    expect(hub.world.clients.get(nameOf(2))).toEqual({ phase: 'abandoned', reason: 'x' })
    expect(hub.sent('masking-shares')).toHaveLength(9)
  })
})
