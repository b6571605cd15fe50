import { describe, expect, it } from 'vitest'
import { seeded } from './statistics.suite.ts'
import { sumNoise } from './sum-noise.ts'
import { createNoiseTable } from './table.ts'

const table = createNoiseTable({ numerator: 700n ** 2n, denominator: 1n })
const LENGTH = 5000

/** What is added to a sum that arrives in pieces of these lengths. */
function added(width: 32 | 64, pieces: readonly number[], from = 0): number[] {
  const alter = sumNoise(table, seeded('sum'), width)
  return pieces.flatMap((length) => {
    const words = width === 32 ? new Int32Array(length).fill(from) : new BigInt64Array(length).fill(BigInt(from))
    alter(new Uint8Array(words.buffer))
    return Array.from(words, Number)
  })
}

describe('noise on a sum', () => {
  it('is the same however long the pieces are in which the sum is written', () => {
    const whole = added(32, [LENGTH])
    expect(added(32, [1024, 1024, 2952])).toEqual(whole)
    expect(added(32, [1, 1023, 7, 2000, 1969])).toEqual(whole)
    expect(added(64, [LENGTH])).toEqual(whole)
  })

  it('is independent from coordinate to coordinate, of the deviation of the table', () => {
    const draws = added(32, [LENGTH])
    const variance = draws.reduce((sum, value) => sum + value ** 2, 0) / LENGTH
    expect(Math.abs(variance / 700 ** 2 - 1)).toBeLessThan(6 * Math.sqrt(2 / LENGTH))
    for (const lag of [1, 1024]) {
      const products = draws.slice(lag).reduce((sum, value, i) => sum + value * (draws[i] ?? 0), 0)
      expect(Math.abs(products / 700 ** 2)).toBeLessThan(5 * Math.sqrt(LENGTH))
    }
  })

  it('is added to what is there, to negative integers too', () => {
    const noise = added(32, [10])
    expect(added(32, [10], -1_000_000)).toEqual(noise.map((steps) => steps - 1_000_000))
    expect(added(64, [10], -(2 ** 40))).toEqual(noise.map((steps) => steps - 2 ** 40))
  })
})
