import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { prng } from '../base/prng.ts'
import { averagePrecision, recallAtFalsePositiveRate, rocAuc, thresholdAtFalsePositiveRate } from './metrics.ts'
import { descendingOrder } from './ranking.ts'

const f = (...values: number[]): Float32Array => Float32Array.from(values)
const u = (...values: number[]): Uint8Array => Uint8Array.from(values)

/** Few distinct scores, so that ties are common; -0 and a subnormal among them. */
const score = fc.constantFrom(-2.5, -0, 0, 0.5, 1, 1e-40, 3)
const rows = fc.array(fc.tuple(score, fc.constantFrom(0, 1)), { minLength: 1, maxLength: 40 })
const split = (pairs: readonly (readonly [number, number])[]): [Float32Array, Uint8Array] => [
  Float32Array.from(pairs, ([value]) => value),
  Uint8Array.from(pairs, ([, label]) => label),
]

/** P(positive above negative) + P(tie)/2 over all pairs. */
function aucByPairs(scores: Float32Array, labels: Uint8Array): number | null {
  let wins = 0
  let pairs = 0
  for (const [i, a] of scores.entries())
    for (const [j, b] of scores.entries()) {
      if (labels[i] !== 1 || labels[j] !== 0) continue
      pairs++
      wins += a > b ? 1 : a === b ? 0.5 : 0
    }
  return pairs === 0 ? null : wins / pairs
}

/** Rows labelled `label` with a score of at least `threshold`. */
function atOrAbove(scores: Float32Array, labels: Uint8Array, label: number, threshold: number): number {
  return scores.reduce((count, value, i) => count + (value >= threshold && labels[i] === label ? 1 : 0), 0)
}

function apByThresholds(scores: Float32Array, labels: Uint8Array): number | null {
  const total = atOrAbove(scores, labels, 1, -Infinity)
  let sum = 0
  let before = 0
  for (const threshold of [...new Set(scores)].toSorted((a, b) => b - a)) {
    const positives = atOrAbove(scores, labels, 1, threshold)
    sum += ((positives - before) * positives) / (positives + atOrAbove(scores, labels, 0, threshold))
    before = positives
  }
  return total === 0 ? null : sum / total
}

function recallByThresholds(scores: Float32Array, labels: Uint8Array, rate: number): number | null {
  const positives = atOrAbove(scores, labels, 1, -Infinity)
  const negatives = atOrAbove(scores, labels, 0, -Infinity)
  const allowed = [...scores].filter((threshold) => atOrAbove(scores, labels, 0, threshold) <= rate * negatives)
  const best = Math.max(0, ...allowed.map((threshold) => atOrAbove(scores, labels, 1, threshold)))
  return positives === 0 ? null : best / positives
}

const close = (a: number | null, b: number | null): boolean =>
  a === null || b === null ? a === b : Math.abs(a - b) < 1e-12

describe('against values computed by hand', () => {
  it('the area counts pairs: 3 of 4 right is 0.75', () => {
    expect(rocAuc(f(0.1, 0.4, 0.35, 0.8), u(0, 0, 1, 1))).toBe(0.75)
  })

  it('average precision of 1/1 and 2/3 is 5/6', () => {
    expect(averagePrecision(f(0.1, 0.4, 0.35, 0.8), u(0, 0, 1, 1))).toBeCloseTo(5 / 6, 15)
  })

  it('one score for all is worth nothing: 0.5, the prevalence, and no recall', () => {
    expect(rocAuc(f(2, 2, 2, 2), u(1, 0, 0, 0))).toBe(0.5)
    expect(averagePrecision(f(2, 2, 2, 2), u(1, 0, 0, 0))).toBe(0.25)
    expect(recallAtFalsePositiveRate(f(2, 2, 2, 2), u(1, 0, 0, 0), 0.01)).toBe(0)
  })

  it('at no false positive the recall is what lies above the best negative', () => {
    expect(recallAtFalsePositiveRate(f(9, 8, 7, 6, 5), u(1, 1, 0, 1, 0), 0)).toBeCloseTo(2 / 3, 15)
    expect(thresholdAtFalsePositiveRate(f(9, 8, 7, 6, 5), u(1, 1, 0, 1, 0), 0)).toBe(8)
  })

  it('a class that is missing gives null, never a figure', () => {
    expect(rocAuc(f(1, 2), u(1, 1))).toBeNull()
    expect(rocAuc(f(1, 2), u(0, 0))).toBeNull()
    expect(averagePrecision(f(1, 2), u(0, 0))).toBeNull()
    expect(recallAtFalsePositiveRate(f(1, 2), u(0, 0), 0.01)).toBeNull()
    expect(rocAuc(f(), u())).toBeNull()
  })
})

describe('against references over all pairs and thresholds', () => {
  it('rocAuc, with ties', () => {
    fc.assert(fc.property(rows, (pairs) => close(rocAuc(...split(pairs)), aucByPairs(...split(pairs)))))
  })

  it('averagePrecision, with ties', () => {
    fc.assert(fc.property(rows, (pairs) => close(averagePrecision(...split(pairs)), apByThresholds(...split(pairs)))))
  })

  it('recallAtFalsePositiveRate, with ties', () => {
    const rate = fc.constantFrom(0, 0.01, 0.1, 0.25, 0.5, 1)
    fc.assert(
      fc.property(rows, rate, (pairs, at) =>
        close(recallAtFalsePositiveRate(...split(pairs), at), recallByThresholds(...split(pairs), at)),
      ),
    )
  })

  it('the order is that of a comparator, stable among ties', () => {
    fc.assert(
      fc.property(fc.array(fc.float({ noNaN: true, noDefaultInfinity: true })), (values) => {
        const scores = Float32Array.from(values)
        const expected = [...scores.keys()].toSorted((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || a - b)
        expect([...descendingOrder(scores)]).toEqual(expected)
      }),
    )
  })
})

it('refuses scores that are not finite and lengths that differ', () => {
  expect(() => rocAuc(f(1, Number.NaN), u(0, 1))).toThrow(expect.objectContaining({ code: 'not-finite' }))
  expect(() => rocAuc(f(1), u(0, 1))).toThrow(expect.objectContaining({ code: 'wrong-shape' }))
})

it('ranks two million scores in less than two seconds', () => {
  const random = prng('metrics')
  const scores = Float32Array.from({ length: 2_000_000 }, () => random.uniform())
  const labels = Uint8Array.from(scores, (value) => (value > 0.7 ? 1 : 0))
  // The quickest of three: the machine has other things to do as well.
  const durationsMs = [1, 2, 3].map(() => {
    const start = performance.now()
    expect(rocAuc(scores, labels)).toBe(1)
    return performance.now() - start
  })
  expect(Math.min(...durationsMs)).toBeLessThan(2000)
})
