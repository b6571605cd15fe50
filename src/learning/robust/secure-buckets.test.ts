import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type OrganisationId, organisationId, roundId } from '../../base/ids.ts'
import { sha256Hex } from '../../base/hash.ts'
import { utf8 } from '../../base/bytes.ts'
import { prng, shuffle } from '../../base/prng.ts'
import { ROBUST_RULES, type RobustConfig, robustConfigSchema, vectorsMin } from './config.ts'
import {
  bucketedMin,
  bucketSeed,
  bucketsProblem,
  bucketsWithstand,
  DEFAULT_BUCKETS,
  planBuckets,
} from './secure-buckets.ts'

const robustOf = (config: Partial<RobustConfig>): RobustConfig => robustConfigSchema.parse(config)
const organisations = (count: number): OrganisationId[] =>
  Array.from({ length: count }, (_, i) => organisationId(`org-${String(i).padStart(3, '0')}`))
const seedOf = (name: string) => sha256Hex(utf8(name))

describe('buckets under secure aggregation', () => {
  it('hold everybody once, at least the minimum each, and differ by one at most', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 9, max: 150 }),
        fc.integer({ min: 3, max: 12 }),
        fc.string(),
        (count, bucketMin, name) => {
          fc.pre(Math.floor(count / bucketMin) >= 3)
          const { buckets } = planBuckets(organisations(count), robustOf({ rule: 'median' }), seedOf(name), {
            bucketMin,
            colluding: 1,
          })
          expect(buckets.flat().toSorted()).toEqual(organisations(count))
          const sizes = buckets.map(({ length }) => length)
          expect(Math.min(...sizes)).toBeGreaterThanOrEqual(bucketMin)
          expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
        },
      ),
    )
  })

  it('are the same for everybody, whatever the order in which the organisations are named', () => {
    const names = organisations(20)
    const config = robustOf({ rule: 'trimmed-mean', f: 2 })
    const plan = planBuckets(names, config, seedOf('a'))
    expect(planBuckets(shuffle([...names], prng('order')), config, seedOf('a'))).toEqual(plan)
    expect(planBuckets(names, config, seedOf('b'))).not.toEqual(plan)
  })

  it('put any two organisations together about as often as chance would', () => {
    const [names, config] = [organisations(12), robustOf({ rule: 'median' })]
    const runs = 3000
    let together = 0
    for (let run = 0; run < runs; run++) {
      const { buckets } = planBuckets(names, config, seedOf(String(run)))
      const home = buckets.find((bucket) => bucket.includes(names[0] as OrganisationId))
      if (home?.includes(names[7] as OrganisationId) === true) together++
    }
    // Two others of eleven share the bucket.
    expect(Math.abs(together / runs - 2 / 11)).toBeLessThan(4 * Math.sqrt(((2 / 11) * (9 / 11)) / runs))
  })

  it('are drawn anew in every round, and from what the round before came to', () => {
    const seed = bucketSeed(roundId('t-2'), seedOf('model'))
    expect(bucketSeed(roundId('t-2'), seedOf('model'))).toBe(seed)
    expect(bucketSeed(roundId('t-3'), seedOf('model'))).not.toBe(seed)
    expect(bucketSeed(roundId('t-2'), seedOf('other'))).not.toBe(seed)
  })
})

describe('the fewest organisations for buckets', () => {
  it.each(ROBUST_RULES.filter((rule) => rule !== 'none'))('are enough for %s, and one less is not', (rule) => {
    for (const f of [1, 2, 3]) {
      const config = robustOf({ rule, f })
      expect(bucketsProblem(config, bucketedMin(config))).toBeUndefined()
      expect(bucketsProblem(config, bucketedMin(config) - 1)).toContain('buckets of at least 3')
    }
  })
})

describe('what buckets withstand', () => {
  it.each<[Partial<RobustConfig>, number, number]>([
    [{ rule: 'median' }, 2, 0],
    [{ rule: 'median' }, 3, 1],
    [{ rule: 'median' }, 5, 2],
    [{ rule: 'multi-krum' }, 5, 1],
    [{ rule: 'bulyan' }, 6, 0],
    [{ rule: 'bulyan' }, 7, 1],
    [{ rule: 'norm-bound' }, 50, 0],
  ])('%j over %i buckets withstands %i liars', (config, buckets, f) => {
    expect(bucketsWithstand(robustOf(config), buckets)).toBe(f)
  })

  it('is counted for the worst partition: each liar spoils a bucket, and the rule still has enough', () => {
    for (const rule of ROBUST_RULES.filter((name) => name !== 'none' && name !== 'norm-bound'))
      for (let count = 9; count < 60; count++) {
        const config = robustOf({ rule, f: 1 })
        if (bucketsProblem(config, count) !== undefined) continue
        const { buckets, withstands } = planBuckets(organisations(count), config, seedOf(rule))
        expect(buckets.length).toBeGreaterThanOrEqual(vectorsMin(rule, withstands))
        expect(buckets.length).toBeLessThan(vectorsMin(rule, withstands + 1))
      }
  })
})

describe('a training that buckets cannot serve is refused', () => {
  it.each<[Partial<RobustConfig>, number, string]>([
    [
      { rule: 'median', f: 1 },
      8,
      'median against 1 needs 3 buckets of at least 3, so 9 organisations, and there are 8',
    ],
    [{ rule: 'median', f: 3 }, 15, 'or lower robust.f to 2'],
    [{ rule: 'krum', f: 1 }, 14, 'needs 5 buckets'],
    [{ rule: 'none' }, 100, 'need a robust.rule'],
    [{ rule: 'median', f: 1, mixing: 'nearest-neighbours' }, 100, 'has no place under secure aggregation'],
  ])('%j among %i: %s', (config, count, words) => {
    expect(bucketsProblem(robustOf(config), count)).toContain(words)
    expect(() => planBuckets(organisations(count), robustOf(config), seedOf('x'))).toThrow(
      expect.objectContaining({ code: 'invalid-request' }),
    )
  })

  it('where the hub and those in league with it could read one organisation', () => {
    const config = robustOf({ rule: 'median', f: 1 })
    expect(bucketsProblem(config, 100, { bucketMin: 3, colluding: 2 })).toContain('at least 4 organisations')
    expect(bucketsProblem(config, 100, { bucketMin: 2, colluding: 0 })).toContain('at least 3')
    expect(bucketsProblem(config, 9, DEFAULT_BUCKETS)).toBeUndefined()
  })
})
