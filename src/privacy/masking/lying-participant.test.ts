import { describe, expect, it } from 'vitest'
import { toBase64Url } from '../../base/bytes.ts'
import { plainArithmetic } from './arithmetic.ts'
import { encodeElement, SHARE_FIELD } from './field.ts'
import { type Delivery, type HubDelivery, identityOf, isForHub, nameOf, World, type WorldOptions } from './fixtures.ts'
import { addVectors } from './mask.ts'
import { parseMessage } from './messages.ts'
import { advertise, indexOf, rosterOf } from './roster.ts'
import { drawNeighbours, roundSecrets } from './secrets.ts'
import type { ServerEvent } from './server-state.ts'
import { sealShares, shareSecrets } from './share-box.ts'
import { unmaskSum } from './vector.ts'

const liar = nameOf(3)

/** A round of ten in which the liar's message of one type is changed on its way to the hub. */
function roundWith(
  type: ServerEvent['type'],
  change: (event: never, world: World) => readonly object[],
  options: Partial<WorldOptions> = {},
): World {
  const intercept = (delivery: Delivery, world: World): readonly Delivery[] => {
    if (!isForHub(delivery) || delivery.from !== liar || delivery.event.type !== type) return [delivery]
    return change(delivery.event as never, world).map((event) => ({ ...delivery, event }) as HubDelivery)
  }
  return new World({ seed: 'liar', count: 10, intercept, ...options }).run()
}

type Event<Type extends ServerEvent['type']> = Extract<ServerEvent, { type: Type }>

function expectExact(world: World): void {
  if (world.hub.phase !== 'done') throw new Error(JSON.stringify(world.hub))
  const vectors = world.hub.facts.survivors.map(
    ({ organisation }) => world.quantised.get(organisation) ?? new Uint8Array(),
  )
  const sum = new Uint8Array(vectors[0]?.length ?? 0)
  addVectors(sum, vectors, plainArithmetic(32))
  expect(world.sum).toEqual(sum)
}

const codes = (world: World): string[] => world.refused.map(({ error }) => error.code)
const survivors = (world: World): string[] =>
  world.hub.phase === 'done' ? world.hub.facts.survivors.map(({ organisation }) => organisation) : []

describe('a lying participant', () => {
  it('that reveals a false share is named; the sum is exact without it', () => {
    const world = roundWith('reveal', ({ reveal, ...event }: Event<'reveal'>) => [
      { ...event, reveal: { ...reveal, shares: reveal.shares.replace(/[1-9a]/g, '0') } },
    ])
    expectExact(world)
    expect(world.hub).toMatchObject({ facts: { blamed: [liar] } })
  })

  it('that changes one share it reveals stands in dispute with its dealer, and nobody is named', () => {
    const world = roundWith('reveal', ({ reveal, ...event }: Event<'reveal'>) => [
      { ...event, reveal: { ...reveal, shares: `${'1'.repeat(64)}${reveal.shares.slice(64)}` } },
    ])
    expectExact(world)
    expect(world.hub).toMatchObject({ facts: { blamed: [], disputed: [{ dealer: nameOf(0), holder: liar }] } })
  })

  it.each([
    [3, { blamed: [liar] }],
    [1, { blamed: [], disputed: [{ dealer: liar, holder: nameOf(0) }] }],
  ])(
    'that seals false shares for %i is named once they are more than may lie, and they are not; the sum is exact',
    (count, found) => {
      const world = roundWith('shares', ({ shares, ...event }: Event<'shares'>, { context, clients }) => {
        const state = clients.get(liar)
        if (state?.phase !== 'shared') throw new Error(state?.phase)
        const roster = rosterOf(context, state.members)
        const one = encodeElement(1n)
        const self = indexOf(roster).get(liar) ?? 0
        const box = (to: number): string =>
          sealShares(roster, roundSecrets(state.seed).box, self, to, { mask: one, self: one })
        return [
          {
            ...event,
            shares: { ...shares, boxes: shares.boxes.map((b, i) => (i < count ? box(shares.neighbours[i] ?? 0) : b)) },
          },
        ]
      })
      expectExact(world)
      if (world.hub.phase !== 'done') throw new Error(world.hub.phase)
      const { blamed, disputed } = world.hub.facts
      expect({ blamed, ...(disputed === undefined ? {} : { disputed }) }).toEqual(found)
    },
  )

  it('that shares another seed than it published the digest of ends the round, is named, and nothing comes out', () => {
    const world = roundWith('shares', ({ shares, ...event }: Event<'shares'>) => [
      { ...event, shares: { ...shares, selfSeed: '0'.repeat(64) } },
    ])
    expect(world.hub).toMatchObject({ phase: 'abandoned', reason: 'false-shares', blamed: [liar] })
    expect(world.sum).toBeUndefined()
  })

  it('that keeps its shares back with others has nobody named: whose secret stays closed is innocent', () => {
    const league: readonly string[] = [liar, nameOf(4), nameOf(5), nameOf(6)]
    const keptBack = (delivery: Delivery): boolean =>
      isForHub(delivery) && delivery.event.type === 'reveal' && league.includes(delivery.from)
    const world = roundWith('reveal', () => [], { intercept: (one) => (keptBack(one) ? [] : [one]) })
    expect(world.hub).toMatchObject({ phase: 'abandoned', reason: 'too-few-reveals', blamed: [] })
    expect(JSON.stringify(world.hub)).not.toContain('org-')
  })

  it('that drops out after dealing a mask key that is not its own ends the round and is named', () => {
    const away = (name: string, at: number): number => (name === liar && at >= 4.5 ? Number.POSITIVE_INFINITY : 0)
    const world = roundWith(
      'shares',
      ({ shares, ...event }: Event<'shares'>, { context, clients }) => {
        const state = clients.get(liar)
        if (state?.phase !== 'shared') throw new Error(state?.phase)
        const roster = rosterOf(context, state.members)
        const other = roundSecrets(toBase64Url(new Uint8Array(32).fill(9)))
        const own = roundSecrets(state.seed)
        const mixed = { ...own, maskBytes: other.maskBytes }
        return [{ ...event, shares: shareSecrets(roster, mixed, indexOf(roster).get(liar) ?? 0, shares.neighbours) }]
      },
      { awayUntil: away },
    )
    expect(world.hub).toMatchObject({ phase: 'abandoned', reason: 'false-shares', blamed: [liar] })
  })

  it('cannot send shares of another number, length or neighbourhood: it is left out', () => {
    const wrong: ((shares: Event<'shares'>['shares']) => object)[] = [
      (shares) => ({ ...shares, boxes: shares.boxes.slice(1) }),
      (shares) => ({ ...shares, commitments: shares.commitments.slice(2) }),
      (shares) => ({ ...shares, neighbours: shares.neighbours.slice(1), boxes: shares.boxes.slice(1) }),
      (shares) => ({ ...shares, neighbours: shares.neighbours.map((i) => (i === 0 ? 3 : i)).sort((a, b) => a - b) }),
      (shares) => ({ ...shares, neighbours: shares.neighbours.map((i) => (i === 9 ? 10 : i)) }),
      (shares) => ({ ...shares, neighbours: shares.neighbours.map((i) => (i === 1 ? 0 : i)) }),
    ]
    for (const change of wrong) {
      const world = roundWith('shares', ({ shares, ...event }: Event<'shares'>) => [
        { ...event, shares: change(shares) },
      ])
      expect(codes(world)).toContain('invalid-request')
      expect(survivors(world)).not.toContain(liar)
      expectExact(world)
    }
  })

  it('cannot reveal what it does not hold, shares of another length, twice, or outside the field', () => {
    const wrong: ((reveal: Event<'reveal'>['reveal']) => object)[] = [
      (reveal) => ({ ...reveal, shares: reveal.shares.slice(2) }),
      (reveal) => ({ ...reveal, owners: reveal.owners.map((i) => (i === 9 ? 10 : i)) }),
      (reveal) => ({ ...reveal, owners: reveal.owners.map((i) => (i === 1 ? 0 : i)) }),
      (reveal) => ({ ...reveal, shares: SHARE_FIELD.prime.toString(16) + reveal.shares.slice(64) }),
    ]
    for (const change of wrong) {
      const world = roundWith('reveal', ({ reveal, ...event }: Event<'reveal'>) => [
        { ...event, reveal: change(reveal) },
      ])
      expect(codes(world)).toEqual(['invalid-request'])
      expectExact(world)
    }
  })

  it('cannot take back what it said: a second message of a phase is refused', () => {
    const world = roundWith('vector', ({ input, ...event }: Event<'vector'>) => [
      { ...event, input },
      { ...event, input: { ...input, vector: 'ab'.repeat(32) } },
    ])
    // Not signed for, and if it were: already submitted.
    expect(codes(world)).toEqual(['signature-invalid'])
    const twice = roundWith('keys', ({ keys, ...event }: Event<'keys'>, { context }) => {
      const other = advertise(context, { ...keys, weight: 5 }, identityOf(liar))
      return [
        { ...event, keys },
        { ...event, keys: other },
      ]
    })
    expect(codes(twice)).toEqual(['already-submitted'])
    expectExact(twice)
  })

  it('cannot speak for another, nor repeat another’s keys as its own', () => {
    const spoof = roundWith('keys', ({ keys, ...event }: Event<'keys'>) => [
      { ...event, keys: { ...keys, organisation: nameOf(5) } },
    ])
    expect(codes(spoof)).toContain('impersonation')
    const copy = roundWith('keys', ({ keys, ...event }: Event<'keys'>, { context, sent }) => {
      const [first] = sent.filter(({ message }) => message === 'masking-keys')
      const { boxKey } = (first?.body ?? keys) as typeof keys
      return [{ ...event, keys: advertise(context, { ...keys, boxKey }, identityOf(liar)) }]
    })
    expect(codes(copy)).toContain('invalid-request')
    expectExact(copy)
  })

  it('cannot stop the others with a key of small order, or of none', () => {
    for (const maskKey of ['A'.repeat(43), `${'A'.repeat(42)}B`]) {
      const world = roundWith('keys', ({ keys, ...event }: Event<'keys'>, { context }) => [
        { ...event, keys: advertise(context, { ...keys, maskKey }, identityOf(liar)) },
      ])
      expect(codes(world)[0]).toBe('invalid-request')
      expectExact(world)
    }
  })

  it('cannot claim a weight of 1e12, a negative one, a fraction or none (defect: a sample count that takes the model over)', () => {
    for (const weight of [1e12, 10_001, 0, -3, 0.5]) {
      const world = roundWith('keys', ({ keys, ...event }: Event<'keys'>, { context }) => [
        { ...event, keys: advertise(context, { ...keys, weight }, identityOf(liar)) },
      ])
      expect(codes(world)).toContain('sample-count-invalid')
      expect(survivors(world)).not.toContain(liar)
      expectExact(world)
    }
  })

  it('cannot hand in a vector of another length', () => {
    const order = {
      length: 4,
      scale: { width: 32, levels: 1, clip: 1, weightMax: 1 },
      totalWeight: 1,
      masks: [],
    } as const
    const vectors = [
      { organisation: liar, vector: 'ab'.repeat(32) as never },
      { organisation: nameOf(1), vector: 'cd'.repeat(32) as never },
    ]
    expect(() => unmaskSum({ ...order, vectors }, [new Uint8Array(16), new Uint8Array(20)])).toThrow('20 bytes')
  })

  it('meets strict parsing: other members, lengths, letters and types are refused', () => {
    const good = { organisation: 'org-1', owners: [0, 1], shares: 'ab'.repeat(64) }
    expect(parseMessage('masking-reveal', good)).toEqual(good)
    for (const bad of [
      { ...good, extra: 1 },
      { ...good, owners: [0.5] },
      { ...good, owners: [-1] },
      { ...good, shares: 'AB' },
      { ...good, shares: { toString: 'x' } },
      { ...good, organisation: 'hub' },
      undefined,
      [],
    ])
      expect(() => parseMessage('masking-reveal', bad)).toThrow('masking-reveal')
    expect(() => parseMessage('masking-inbox', { sharers: [], boxes: [{ from: 'a', box: 'x' }] })).toThrow(
      'boxes.0.box',
    )
    expect(() =>
      parseMessage('masking-keys', { organisation: 'a', boxKey: 'x', maskKey: 'y', weight: 1, signature: 'z' }),
    ).toThrow()
  })
})

describe('neighbours', () => {
  it('are drawn without their drawer, each once, and by other chance by others', () => {
    const random = (fill: number) => roundSecrets(toBase64Url(new Uint8Array(32).fill(fill))).random('neighbours')
    const drawn = drawNeighbours(5, 50, 12, random(1))
    expect(new Set(drawn).size).toBe(12)
    expect(drawn).not.toContain(5)
    expect(drawn).toEqual([...drawn].sort((a, b) => a - b))
    expect(drawNeighbours(5, 50, 12, random(2))).not.toEqual(drawn)
  })
})
