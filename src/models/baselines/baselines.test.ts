import { describe, expect, it } from 'vitest'
import { prng } from '../../base/prng.ts'
import { createCountMin, least } from './count-min.ts'
import { createMidas } from './midas.ts'
import { createOneBit, SOURCE_EXTERNAL } from './one-bit.ts'

describe('MIDAS-F', () => {
  it('scores (a - s/t)^2 t^2 / (s (t - 1)) of the most surprising of edge, source and destination', () => {
    const midas = createMidas({ factor: 0.5, columns: 4096 })
    expect([1, 1, 1, 1].map(() => midas.score(10, 1, 2, 0))).toEqual([0, 0, 0, 0])
    // t = 2, s = 4; of the 4 counted before, half is left: a = 3, so (3 + 4 - 3 * 2)^2 / 4.
    expect(midas.score(11, 1, 2, 0)).toBe((3 + 4 - 6) ** 2 / 4)
    expect(midas.score(11, 1, 2, 0)).toBe((4 + 4 - 8) ** 2 / 4)
    // t = 3, s = 4 + 4, a = 2 + 1; ticks without interactions do not count.
    expect(midas.score(15, 1, 2, 0)).toBe((3 + 8 - 9) ** 2 / (8 * 2))
  })

  it('does not let a burst teach it that bursts are normal', () => {
    const burst = (threshold: number): number => {
      const midas = createMidas({ threshold })
      let score = 0
      for (let tick = 0; tick < 40; tick++) {
        const count = tick >= 30 && tick % 2 === 0 ? 2000 : 1
        for (let i = 0; i < count; i++) score = midas.score(tick, 1, 2, 0)
        if (tick === 38) return score
      }
      return score
    }
    expect(burst(1000)).toBeGreaterThan(3 * burst(Number.MAX_VALUE))
  })

  it('ranks a burst between hosts that never met above steady traffic', () => {
    const midas = createMidas()
    const random = prng('midas')
    let steady = 0
    for (let tick = 0; tick < 200; tick++)
      for (let i = 0; i < 50; i++)
        steady = Math.max(steady, tick < 20 ? 0 : midas.score(tick, random.below(10), 10 + random.below(10), 0))
    let attack = 0
    for (let i = 0; i < 300; i++) attack = midas.score(200, 3, 15, 0)
    expect(attack).toBeGreaterThan(5 * steady)
  })

  it('is the same for the same stream', () => {
    const run = (): number[] => {
      const midas = createMidas()
      const random = prng('same')
      return Array.from({ length: 500 }, (_, i) => midas.score(i >> 3, random.below(30), random.below(30), 0))
    }
    expect(run()).toEqual(run())
  })
})

describe('a count-min sketch', () => {
  it('never estimates too low, and spreads keys over all columns', () => {
    const sketch = createCountMin(2, 64, 'test')
    const at = new Int32Array(2)
    const counts = new Map<number, number>()
    const random = prng('sketch')
    for (let i = 0; i < 3000; i++) {
      const key = random.below(200)
      counts.set(key, (counts.get(key) ?? 0) + 1)
      sketch.locate(key, key * 6, at)
      for (const cell of at) sketch.cells[cell] = (sketch.cells[cell] ?? 0) + 1
    }
    for (const [key, count] of counts) {
      sketch.locate(key, key * 6, at)
      expect(least(sketch.cells, at)).toBeGreaterThanOrEqual(count)
    }
    expect(sketch.cells.filter((cell) => cell > 0).length).toBeGreaterThan(100)
  })

  it('tells a -> b from b -> a', () => {
    const sketch = createCountMin(2, 1024, 'test')
    const [there, back] = [new Int32Array(2), new Int32Array(2)]
    let same = 0
    for (let i = 0; i < 100; i++) {
      sketch.locate(i, i + 1000, there)
      sketch.locate(i + 1000, i, back)
      if (there[0] === back[0] && there[1] === back[1]) same++
    }
    expect(same).toBe(0)
  })
})

it('the one bit is the flag of an external source', () => {
  const oneBit = createOneBit()
  expect([0, 1, SOURCE_EXTERNAL, SOURCE_EXTERNAL | 1].map((flags) => oneBit.score(0, 1, 2, flags))).toEqual([
    0, 0, 1, 1,
  ])
})
