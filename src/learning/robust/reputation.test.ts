import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type OrganisationId, organisationId } from '../../base/ids.ts'
import type { Block } from '../../ledger/block.ts'
import { aggregationQuality, type Validation } from './quality.ts'
import { isWorthALook, observe, RATE, type Reputation, reputationsAfter, UNKNOWN } from './reputation.ts'
import { againstOf, cosineOf, type SignName } from './signs.ts'

const [a, b, c] = ['bank-a', 'bank-b', 'bank-c'].map(organisationId) as [OrganisationId, OrganisationId, OrganisationId]
const bad = (round: number | string) => ({ round: String(round), signs: ['flagged' as const] })
const good = (round: number | string) => ({ round: String(round), signs: [] })
const after = (observations: readonly Parameters<typeof observe>[1][], from = UNKNOWN): Reputation =>
  observations.reduce((reputation, observation) => observe(reputation, observation), from)
const times = (count: number, of: (i: number) => ReturnType<typeof bad> | ReturnType<typeof good>) =>
  Array.from({ length: count }, (_, i) => of(i))

describe('reputation', () => {
  it('moves slowly: no round moves it by more than its rate, whatever happens in it', () => {
    const names = fc.constantFrom<SignName>('flagged', 'against')
    const observation = fc.record({
      round: fc.string(),
      signs: fc.array(names, { maxLength: 4 }),
      among: fc.integer({ min: 1, max: 9 }),
    })
    fc.assert(
      fc.property(fc.array(observation, { maxLength: 60 }), (observations) => {
        let reputation = UNKNOWN
        for (const one of observations) {
          const next = observe(reputation, one)
          expect(Math.abs(next.score - reputation.score)).toBeLessThanOrEqual(RATE / one.among + 1e-12)
          expect(next.score).toBeGreaterThanOrEqual(0)
          expect(next.score).toBeLessThanOrEqual(1)
          reputation = next
        }
      }),
    )
  })

  it('says why it fell: the reasons of a round add up to its fall', () => {
    const before = after(times(10, good))
    const fallen = observe(before, { round: 'r', signs: ['against', 'flagged'] })
    expect(fallen.reasons.map(({ round, sign }) => `${round} ${sign}`)).toEqual(['r against', 'r flagged'])
    expect(fallen.reasons.reduce((sum, { cost }) => sum + cost, 0)).toBeCloseTo(before.score - fallen.score, 12)
  })

  it('keeps the last reasons only, however long the federation lives', () => {
    const reputation = after(times(500, bad))
    expect(reputation.reasons).toHaveLength(32)
    expect(reputation.reasons.at(-1)?.round).toBe('499')
    expect(reputation.rounds).toBe(500)
  })

  it('names nobody for one bad round, nor for six, and somebody who goes on', () => {
    expect(isWorthALook(after(times(1, bad)))).toBe(false)
    expect(isWorthALook(after(times(6, bad)))).toBe(false)
    expect(isWorthALook(after(times(7, bad)))).toBe(true)
    expect(isWorthALook(after([...times(100, good), ...times(10, bad)]))).toBe(false)
    expect(isWorthALook(after([...times(100, good), ...times(30, bad)]))).toBe(true)
  })

  it('forgives: who was named is not after as many good rounds', () => {
    const named = after(times(20, bad))
    expect(isWorthALook(named)).toBe(true)
    expect(isWorthALook(after(times(20, good), named))).toBe(false)
  })

  it('never names an honest organisation that is far from the rest in every tenth round', () => {
    for (let round = 1, reputation = UNKNOWN; round <= 300; round++) {
      reputation = observe(reputation, round % 10 === 0 ? bad(round) : good(round))
      expect(isWorthALook(reputation)).toBe(false)
    }
  })

  it('says of each member of a bucket only its share', () => {
    const fall = (among: number): number => 0.5 - observe(UNKNOWN, { ...bad(1), among }).score
    expect(fall(3)).toBeCloseTo(fall(1) / 3, 12)
  })
})

function block(round: string, participants: readonly OrganisationId[], flagged?: readonly number[]): Block {
  const list = participants.map((org_id) => ({ org_id, sample_count: 1, contribution: '' }))
  const metrics = flagged === undefined ? {} : { robust_rule: 'median', robust_flagged: flagged }
  return { aggregation_metrics: metrics, provenance: { round_id: round, participants: list } } as unknown as Block
}

describe('reputation from the ledger', () => {
  it('names those at the positions that a block flags', () => {
    const found = reputationsAfter([block('t-1', [a, b, c], [1]), block('t-2', [a, c], [1])])
    expect([...found.keys()]).toEqual([a, b, c])
    expect(found.get(a)?.reasons).toEqual([])
    expect(found.get(b)?.reasons.map(({ round }) => round)).toEqual(['t-1'])
    expect(found.get(c)?.reasons.map(({ round }) => round)).toEqual(['t-2'])
    expect([a, b, c].map((name) => found.get(name)?.rounds)).toEqual([2, 1, 2])
  })

  it('counts an update against the step before as a sign, and both signs of a round as one event', () => {
    const sealed = block('t-1', [a, b, c], [1])
    const both = { ...sealed, aggregation_metrics: { ...sealed.aggregation_metrics, robust_against: [1, 2] } }
    const found = reputationsAfter([both])
    expect(found.get(a)?.reasons).toEqual([])
    expect(found.get(b)?.reasons.map(({ sign }) => sign)).toEqual(['flagged', 'against'])
    expect(found.get(c)?.reasons.map(({ sign }) => sign)).toEqual(['against'])
    expect(found.get(b)?.score).toBe(found.get(c)?.score)
  })

  it('says a share of a third about each member of a bucket of three, good or bad', () => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f'].map(organisationId)
    const sealed = block('t-1', names)
    const metrics = {
      robust_rule: 'median',
      buckets: [
        [0, 2, 4],
        [1, 3, 5],
      ],
      bucket_flagged: [1],
      bucket_against: [],
    }
    const found = reputationsAfter([{ ...sealed, aggregation_metrics: { ...sealed.aggregation_metrics, ...metrics } }])
    for (const [i, name] of names.entries()) {
      const { score = 0, reasons = [] } = found.get(name) ?? {}
      expect(score).toBeCloseTo(0.5 + ((i % 2 === 0 ? 1 : -1) * 0.5 * RATE) / 3, 12)
      expect(reasons).toHaveLength(i % 2)
    }
  })

  it('does not change where no rule looked, nor for who was not there', () => {
    const known = reputationsAfter([block('t-1', [a, b], [0])])
    expect(reputationsAfter([block('t-2', [a, b])], known)).toEqual(known)
    expect(reputationsAfter([block('t-3', [b], [])], known).get(a)).toEqual(known.get(a))
  })

  it('is the same whether the blocks come at once or in parts', () => {
    const blocks = Array.from({ length: 20 }, (_, i) => block(`t-${i}`, [a, b, c], i % 3 === 0 ? [i % 2] : []))
    expect(reputationsAfter(blocks.slice(7), reputationsAfter(blocks.slice(0, 7)))).toEqual(reputationsAfter(blocks))
  })
})

describe('signs', () => {
  const of = (squaredNorm: number, squaredToPrevious: number) => ({ squaredNorm, squaredToPrevious })

  it('are a direction against the aggregate before, where most go along with it', () => {
    // Previous (1, 0); updates (1, 1), (1, -1), (-1, 0).
    expect(againstOf([of(2, 1), of(2, 1), of(1, 4)], 1)).toEqual([2])
    // Where most turn back, turning back is no sign.
    expect(againstOf([of(1, 4), of(1, 4), of(2, 1)], 1)).toEqual([])
    // An update that is not finite has no direction.
    expect(againstOf([of(2, 1), of(2, 1), of(Number.NaN, Number.NaN)], 1)).toEqual([])
  })

  it('cosines are those of the vectors', () => {
    expect(cosineOf(1, 1, 2)).toBe(0)
    expect(cosineOf(4, 9, 1)).toBe(1)
    expect(cosineOf(1, 1, 4)).toBe(-1)
    expect(cosineOf(0, 1, 1)).toBe(0)
  })
})

describe('aggregation quality', () => {
  const says = (organisation: OrganisationId, improvement: number): Validation => ({ organisation, improvement })
  const liar = (k: number, improvement: number) => says(organisationId(`liar-${k}`), improvement)

  it('is the median of what validators find, and counts those for whom the model became clearly worse', () => {
    const found = aggregationQuality([says(a, 0.5), says(b, 0.2), says(c, -0.5)])
    expect(found).toEqual({ quality: 0.2, validators: 3, worse: 1, collapsed: false })
  })

  it('collapses when the median validator finds the model clearly worse, and not for the noise of one', () => {
    expect(aggregationQuality([says(a, -0.3), says(b, -0.9), says(c, 0.1)])).toMatchObject({ collapsed: true })
    expect(aggregationQuality([says(a, -0.2), says(b, -0.9), says(c, 0.1)])).toMatchObject({ collapsed: false })
  })

  it.each([1, -1])('is not moved beyond the honest by fewer than half who say %d', (lie) => {
    const honest = [0.4, 0.5, 0.6].map((improvement, i) => says([a, b, c][i] ?? a, improvement))
    const { quality, collapsed } = aggregationQuality([...honest, liar(1, lie), liar(2, lie)]) ?? { quality: -2 }
    expect(quality).toBeGreaterThanOrEqual(0.4)
    expect(quality).toBeLessThanOrEqual(0.6)
    expect(collapsed).toBe(false)
  })

  it('cannot be made to hide a collapse by fewer than half who praise', () => {
    const honest = [says(a, -0.8), says(b, -1), says(c, -0.7)]
    expect(aggregationQuality([...honest, liar(1, 1), liar(2, 1)])).toMatchObject({ collapsed: true })
  })

  it('is not there with fewer than three whose word can be used', () => {
    expect(aggregationQuality([says(a, 0.5), says(b, 0.5)])).toBeUndefined()
    expect(aggregationQuality([says(a, 0.5), says(a, 0.5), says(b, 0.5)])).toBeUndefined()
    for (const unusable of [Number.NaN, 1.5, -7])
      expect(aggregationQuality([says(a, 0.5), says(b, 0.5), says(c, unusable)])).toBeUndefined()
  })
})
