import { describe, expect, it } from 'vitest'
import { createEdgeBank, createEdgeBankScorer } from './edge-bank.ts'
import { createMidas } from './midas.ts'
import { createMidasR } from './midas-r.ts'
import { SOURCE_EXTERNAL } from './one-bit.ts'
import { createOutside } from './outside.ts'
import { createPairFrequency } from './pair-frequency.ts'
import type { StreamScorer } from './stream-scorer.ts'
import { createSurge } from './surge.ts'

const EXACT = { columns: 4096, factor: 0.5 }
const repeat = (scorer: StreamScorer, times: number, tick: number, from: number, to: number): number[] =>
  Array.from({ length: times }, () => scorer.score(tick, from, to, 0))

describe('MIDAS-R', () => {
  it('scores (a - s/t)^2 t^2 / (s (t - 1)) with a in this tick, fading, and s in all, this one included', () => {
    const midas = createMidasR(EXACT)
    expect(repeat(midas, 4, 10, 1, 2)).toEqual([0, 0, 0, 0])
    // t = 2: half of 4 is left, so a = 3 and s = 5.
    expect(midas.score(11, 1, 2, 0)).toBe((3 * 2 - 5) ** 2 / 5)
    // t = 3: a = 1.5 + 1, s = 6; ticks without interactions do not count.
    expect(midas.score(15, 1, 2, 0)).toBe((2.5 * 3 - 6) ** 2 / (6 * 2))
  })

  it('takes the most surprising of edge, source and destination', () => {
    const midas = createMidasR(EXACT)
    repeat(midas, 4, 1, 1, 2)
    // A new edge between known ends: a = s = 1 for the edge, a = 3 and s = 5 for both ends.
    repeat(midas, 1, 2, 1, 3)
    expect(midas.score(2, 5, 3, 0)).toBe((2 * 2 - 2) ** 2 / 2)
  })

  it('learns from a burst that bursts are normal, which the filter of MIDAS-F prevents', () => {
    const last = (midas: StreamScorer): number => {
      for (let tick = 0; tick < 30; tick++) midas.score(tick, 1, 2, 0)
      for (let tick = 30; tick < 60; tick += 2) {
        repeat(midas, 2000, tick, 1, 2)
        midas.score(tick + 1, 1, 2, 0)
      }
      return Math.max(...repeat(midas, 2000, 60, 1, 2))
    }
    expect(last(createMidasR(EXACT))).toBeLessThan(last(createMidas(EXACT)) / 3)
  })
})

describe('EdgeBank', () => {
  it('expects every edge that it ever saw, in its own direction only', () => {
    const bank = createEdgeBank(Infinity)
    expect(bank.expects(0, 1, 2)).toBe(false)
    bank.remember(0, 1, 2)
    expect([bank.expects(0, 1, 2), bank.expects(1e9, 1, 2), bank.expects(1, 2, 1), bank.expects(1, 1, 3)]).toEqual([
      true,
      true,
      false,
      false,
    ])
  })

  it('with a window forgets what is older, and a repeated edge lives on', () => {
    const bank = createEdgeBank(10)
    bank.remember(5, 1, 2)
    expect([15, 16].map((tick) => bank.expects(tick, 1, 2))).toEqual([true, false])
    bank.remember(15, 1, 2)
    expect([25, 26].map((tick) => bank.expects(tick, 1, 2))).toEqual([true, false])
  })

  it('as a scorer is surprised once, and again after the window', () => {
    const [unlimited, windowed] = [createEdgeBankScorer(Infinity), createEdgeBankScorer(10)]
    const ticks = [0, 1, 11, 30, 31]
    expect(ticks.map((tick) => unlimited.score(tick, 1, 2, 0))).toEqual([1, 0, 0, 0, 0])
    expect(ticks.map((tick) => windowed.score(tick, 1, 2, 0))).toEqual([1, 0, 0, 1, 0])
  })
})

it('pair frequency is -log((c + 1) / (n + 1)) of what came before', () => {
  const scorer = createPairFrequency()
  const scores = [
    scorer.score(0, 1, 2, 0),
    scorer.score(0, 1, 2, 0),
    scorer.score(1, 2, 1, 0),
    scorer.score(2, 1, 2, 0),
  ]
  const expected = [0, -Math.log(2 / 2), -Math.log(1 / 3), -Math.log(3 / 4)]
  scores.forEach((score, i) => expect(score).toBeCloseTo(expected[i] ?? Number.NaN, 12))
})

describe('a surge', () => {
  it('is log(1 + chi-square) of the source + log(1 + new destinations) - log(1 + sent before)', () => {
    const surge = createSurge()
    expect(surge.score(0, 1, 2, 0)).toBe(Math.log1p(1))
    expect(surge.score(0, 1, 2, 0)).toBe(Math.log1p(1) - Math.log1p(1))
    // t = 2: half of 2 is left, so a = 2 with s = 2 before; one destination is new, two rows were sent.
    const chiSquare = (2 + 2 - 2 * 2) ** 2 / 2
    expect(surge.score(1, 1, 3, 0)).toBeCloseTo(Math.log1p(chiSquare) + Math.log1p(1) - Math.log1p(2), 12)
    // t = 5, three ticks later: s = 2 + 2 (1 + 1/2 + 1/4), a = 2/8 + 1, nothing new.
    const [a, s] = [1.25, 5.5]
    expect(surge.score(4, 1, 3, 0)).toBeCloseTo(Math.log1p((a + s - a * 5) ** 2 / (s * 4)) - Math.log1p(3), 12)
  })

  it('ranks a scan by a host that is seldom heard above a talkative server', () => {
    const surge = createSurge()
    let server = 0
    for (let tick = 0; tick < 100; tick++) {
      surge.score(tick, 7, 8, 0)
      for (let i = 0; i < 50; i++) server = surge.score(tick, 1, 10 + (i % 20), 0)
    }
    let scan = 0
    for (let i = 0; i < 50; i++) scan = surge.score(100, 7, 100 + i, 0)
    expect(scan).toBeGreaterThan(server + 5)
  })
})

it('a known outside adds its weight to the log of the scorer', () => {
  const outside = createOutside({ score: () => Math.E - 1 }, 10)
  expect([0, SOURCE_EXTERNAL].map((flags) => outside.score(0, 1, 2, flags))).toEqual([1, 11])
})
