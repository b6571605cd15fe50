import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { utf8 } from './bytes.ts'
import { sha256 } from './hash.ts'
import { prng, shuffle } from './prng.ts'

/** xoshiro128** as Blackman and Vigna publish it, in BigInt so that no 32-bit trick is shared with the code under test. */
function* reference(label: string): Generator<number> {
  const mask = 0xffffffffn
  const seed = new DataView(sha256(utf8(label)).buffer as ArrayBuffer)
  const s = [0, 4, 8, 12].map((at) => BigInt(seed.getUint32(at))) as [bigint, bigint, bigint, bigint]
  s[3] |= 1n
  const rotl = (x: bigint, k: bigint): bigint => ((x << k) | (x >> (32n - k))) & mask
  for (;;) {
    yield Number((rotl((s[1] * 5n) & mask, 7n) * 9n) & mask)
    const t = (s[1] << 9n) & mask
    s[2] ^= s[0]
    s[3] ^= s[1]
    s[1] ^= s[2]
    s[0] ^= s[3]
    s[2] ^= t
    s[3] = rotl(s[3], 11n)
  }
}

const draws = <T>(count: number, draw: () => T): T[] => Array.from({ length: count }, draw)
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** Pearson's statistic of counts that should all be equal. */
function chiSquare(counts: readonly number[]): number {
  const expected = mean(counts)
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
}

function histogram(values: readonly number[], bins: number): number[] {
  const counts = Array.from({ length: bins }, () => 0)
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1
  return counts
}

describe('the generator', () => {
  it('is xoshiro128**', () => {
    for (const label of ['', 'a', 'round t1-1']) {
      const random = prng(label)
      const expected = reference(label)
      for (let i = 0; i < 1000; i++) expect(random.u32()).toBe(expected.next().value)
    }
  })

  it('gives the same stream for the same label, and another for every other', () => {
    const labels = fc.uniqueArray(fc.string(), { minLength: 2, maxLength: 2 })
    fc.assert(
      fc.property(labels, ([a, b]) => {
        const stream = draws(4, prng(a as string).u32)
        expect(draws(4, prng(a as string).u32)).toEqual(stream)
        expect(draws(4, prng(b as string).u32)).not.toEqual(stream)
      }),
    )
  })

  it('sets every bit half of the time', () => {
    const values = draws(20_000, prng('bits').u32)
    for (let bit = 0; bit < 32; bit++) {
      const ones = values.filter((value) => (value >>> bit) & 1).length
      expect(Math.abs(ones - 10_000)).toBeLessThan(5 * Math.sqrt(5000))
    }
  })

  it('is uniform in [0, 1)', () => {
    const values = draws(50_000, prng('uniform').uniform)
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0)
    expect(Math.max(...values)).toBeLessThan(1)
    // 99 degrees of freedom: 99.99 % of samples lie below 161.
    expect(
      chiSquare(
        histogram(
          values.map((value) => Math.floor(value * 100)),
          100,
        ),
      ),
    ).toBeLessThan(161)
  })

  it('draws below a bound without bias, also where the remainder of 2^32 would favour small values', () => {
    const random = prng('below')
    for (const bound of [1, 2, 7, 100, 2 ** 32])
      for (const value of draws(1000, () => random.below(bound)))
        expect(Number.isInteger(value) && value >= 0 && value < bound).toBe(true)
    const dice = histogram(
      draws(60_000, () => random.below(6)),
      6,
    )
    expect(chiSquare(dice)).toBeLessThan(25.7)
    // Modulo 3 * 2^30 without rejection would put half of the draws into the lowest third.
    const thirds = histogram(
      draws(30_000, () => Math.floor(random.below(3 * 2 ** 30) / 2 ** 30)),
      3,
    )
    expect(chiSquare(thirds)).toBeLessThan(18.4)
  })

  it('has normal values of mean 0, variance 1, kurtosis 3, all finite', () => {
    const values = draws(50_000, prng('normal').normal)
    expect(values.every(Number.isFinite)).toBe(true)
    expect(Math.abs(mean(values))).toBeLessThan(0.02)
    expect(Math.abs(mean(values.map((value) => value ** 2)) - 1)).toBeLessThan(0.03)
    expect(Math.abs(mean(values.map((value) => value ** 4)) - 3)).toBeLessThan(0.3)
  })
})

describe('a shuffle', () => {
  it('is a permutation, in place, and the same for the same label', () => {
    fc.assert(
      fc.property(fc.array(fc.integer()), fc.string(), (items, label) => {
        const shuffled = shuffle([...items], prng(label))
        expect(shuffled.toSorted((a, b) => a - b)).toEqual(items.toSorted((a, b) => a - b))
        expect(shuffle([...items], prng(label))).toEqual(shuffled)
      }),
    )
    const typed = Uint32Array.of(1, 2, 3)
    expect(shuffle(typed, prng('x'))).toBe(typed)
  })

  it('takes every order equally often', () => {
    const random = prng('orders')
    const orders = draws(24_000, () => shuffle([0, 1, 2, 3], random).join(''))
    const counts = new Map<string, number>()
    for (const order of orders) counts.set(order, (counts.get(order) ?? 0) + 1)
    expect(counts.size).toBe(24)
    // 23 degrees of freedom: 99.99 % of samples lie below 56.
    expect(chiSquare([...counts.values()])).toBeLessThan(56)
  })
})

it('a bound that leaves nothing to draw is a defect, not an endless loop', () => {
  const random = prng('bounds')
  for (const bound of [0, -1, Number.NaN, 2 ** 32 + 1]) expect(() => random.below(bound)).toThrow()
  expect(random.below(1)).toBe(0)
})
