import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type RandomBytes, uniformSource } from './bits.ts'
import { bernoulliExp, discreteGaussian, discreteLaplace, floorRoot } from './exact.ts'
import { erfc, normalCdf } from './special.ts'
import { chiSquare, chiSquareTail, gaussianProbabilities, kolmogorovSmirnov, seeded } from './statistics.suite.ts'
import { createNoiseTable, TABLE_DEVIATION_MAX } from './table.ts'
import { fixedExp } from './weights.ts'

const whole = (deviation: number) => ({ numerator: BigInt(deviation) ** 2n, denominator: 1n })

describe('the table of the discrete Gaussian', () => {
  for (const deviation of [1, 4, 37, 600])
    it(`has the distribution it claims at a deviation of ${deviation} (chi-square, Kolmogorov-Smirnov)`, () => {
      const draws = new Int32Array(1_000_000)
      const table = createNoiseTable(whole(deviation))
      table.draw(draws, seeded(`table ${deviation}`))
      const probabilities = gaussianProbabilities(deviation ** 2, table.magnitudeMax)
      expect(chiSquare(draws, probabilities, table.magnitudeMax)).toBeGreaterThan(1e-3)
      expect(kolmogorovSmirnov(draws, probabilities, table.magnitudeMax)).toBeGreaterThan(1e-3)
    })

  it('would be told from one of 2 % more deviation', () => {
    const draws = new Int32Array(1_000_000)
    const table = createNoiseTable(whole(37))
    table.draw(draws, seeded('wider'))
    const wider = gaussianProbabilities((37 * 1.02) ** 2, table.magnitudeMax)
    expect(chiSquare(draws, wider, table.magnitudeMax)).toBeLessThan(1e-6)
    expect(kolmogorovSmirnov(draws, wider, table.magnitudeMax)).toBeLessThan(1e-2)
  })

  it('of a variance that is no whole number has that variance', () => {
    const draws = new Int32Array(400_000)
    const table = createNoiseTable({ numerator: 7n, denominator: 3n })
    table.draw(draws, seeded('7/3'))
    const probabilities = gaussianProbabilities(7 / 3, table.magnitudeMax)
    expect(chiSquare(draws, probabilities, table.magnitudeMax)).toBeGreaterThan(1e-3)
  })

  it('is no further than 2^-109 from the exact distribution, and says how far', () => {
    for (const deviation of [1, 64, 1024]) {
      const { distance, magnitudeMax } = createNoiseTable(whole(deviation))
      expect(distance).toBeGreaterThan(0)
      expect(distance).toBeLessThan(2 ** -109)
      // The tail that it leaves out is part of the distance.
      expect(erfc(magnitudeMax / deviation / Math.SQRT2)).toBeLessThan(2 ** -109)
    }
  })

  it('draws independently of how the draws are asked for: signs and magnitudes are uncorrelated from one to the next', () => {
    const draws = new Int32Array(500_000)
    createNoiseTable(whole(50)).draw(draws, seeded('lags'))
    for (const lag of [1, 2, 31, 32, 33, 64]) {
      let [signed, sized] = [0, 0]
      const mean = 50 * Math.sqrt(2 / Math.PI)
      for (let i = lag; i < draws.length; i++) {
        const [a, b] = [draws[i] ?? 0, draws[i - lag] ?? 0]
        signed += a * b
        sized += (Math.abs(a) - mean) * (Math.abs(b) - mean)
      }
      const bound = 4.5 * Math.sqrt(draws.length)
      expect(Math.abs(signed / 2500)).toBeLessThan(bound)
      expect(Math.abs(sized / (2500 * (1 - 2 / Math.PI)))).toBeLessThan(bound)
    }
  })

  it('decides by the rest of the draw where its upper bits are those of a limit', () => {
    const ones: RandomBytes = (length) => new Uint8Array(length).fill(255)
    const zeros: RandomBytes = (length) => new Uint8Array(length)
    const table = createNoiseTable(whole(3))
    const out = new Int32Array(3)
    table.draw(out, ones)
    expect([...out]).toEqual([-table.magnitudeMax, -table.magnitudeMax, -table.magnitudeMax])
    table.draw(out, zeros)
    expect([...out]).toEqual([0, 0, 0])
  })

  it('takes bytes from a view at any offset, and leaves them as they were', () => {
    const table = createNoiseTable(whole(5))
    const [a, b] = [new Int32Array(100), new Int32Array(100)]
    const bytes = seeded('offset')(1 << 16)
    const shifted = new Uint8Array((1 << 16) + 1)
    shifted.set(bytes, 1)
    table.draw(a, (length) => bytes.subarray(0, length))
    table.draw(b, (length) => shifted.subarray(1, length + 1))
    expect([...a]).toEqual([...b])
    expect(bytes.some((byte) => byte !== 0)).toBe(true)
  })

  it('is refused for no variance, and for one that needs too large a table', () => {
    for (const variance of [
      { numerator: 0n, denominator: 1n },
      { numerator: 1n, denominator: 0n },
      { numerator: BigInt(TABLE_DEVIATION_MAX + 1) ** 2n, denominator: 1n },
    ])
      expect(() => createNoiseTable(variance)).toThrow(expect.objectContaining({ code: 'invalid-request' }))
  })
})

describe('the exact sampler', () => {
  it('has the distribution it claims (chi-square), at a whole and a fractional variance', () => {
    for (const [numerator, denominator] of [
      [9n, 1n],
      [7n, 3n],
    ] as const) {
      const source = uniformSource(seeded(`exact ${numerator}`))
      const draws = Array.from({ length: 40_000 }, () => Number(discreteGaussian(source, { numerator, denominator })))
      const probabilities = gaussianProbabilities(Number(numerator) / Number(denominator), 60)
      expect(chiSquare(draws, probabilities, 60)).toBeGreaterThan(1e-3)
      expect(kolmogorovSmirnov(draws, probabilities, 60)).toBeGreaterThan(1e-3)
    }
  })

  it('draws discrete Laplace noise with the distribution it claims (chi-square)', () => {
    const source = uniformSource(seeded('laplace'))
    const draws = Array.from({ length: 40_000 }, () => Number(discreteLaplace(source, 4n)))
    const weights = Array.from({ length: 401 }, (_, i) => Math.exp(-Math.abs(i - 200) / 4))
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    expect(
      chiSquare(
        draws,
        weights.map((weight) => weight / total),
        200,
      ),
    ).toBeGreaterThan(1e-3)
  })

  it('is true with probability e^-x for ratios below and above one', () => {
    const source = uniformSource(seeded('bernoulli'))
    for (const [n, d] of [
      [0n, 1n],
      [1n, 3n],
      [1n, 1n],
      [5n, 2n],
    ] as const) {
      let hits = 0
      for (let i = 0; i < 20_000; i++) if (bernoulliExp(source, n, d)) hits++
      const p = Math.exp(-Number(n) / Number(d))
      expect(Math.abs(hits / 20_000 - p)).toBeLessThanOrEqual(4 * Math.sqrt((p * (1 - p)) / 20_000))
    }
  })

  it('takes whole square roots', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 10n ** 40n }), (n) => {
        const root = floorRoot(n)
        expect(root * root <= n && (root + 1n) * (root + 1n) > n).toBe(true)
      }),
    )
  })
})

describe('uniform integers', () => {
  it('are below their bound and of equal frequency', () => {
    const source = uniformSource(seeded('below'))
    const counts = new Float64Array(6)
    for (let i = 0; i < 60_000; i++) {
      const drawn = Number(source.below(6n))
      counts[drawn] = (counts[drawn] ?? 0) + 1
    }
    const statistic = counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0)
    expect(chiSquareTail(statistic, 5)).toBeGreaterThan(1e-3)
    expect(source.below(1n)).toBe(0n)
    const wide = 3n ** 70n
    expect(Array.from({ length: 100 }, () => source.below(wide)).every((drawn) => drawn < wide)).toBe(true)
  })

  it('are those of the bytes, so that the same bytes give the same noise on any machine', () => {
    const draws = new Int32Array(10_000)
    createNoiseTable(whole(600)).draw(draws, seeded('pinned'))
    const digest = createHash('sha256').update(new Uint8Array(draws.buffer)).digest('hex')
    expect(digest).toBe('cf310b2d4facaf58905e0afc8215c07bdbe2c60223592210735e62d4095df390')
  })
})

describe('e^-x in fixed point', () => {
  it('is e^-x to the last bit of a double, and its square is e^-2x to 250 bits', () => {
    for (const [n, d] of [
      [1n, 7n],
      [1n, 2_000_000n],
      [3n, 1n],
      [25n, 1n],
    ] as const) {
      const value = fixedExp({ numerator: n, denominator: d })
      expect(Math.abs((Number(value) / 2 ** 256) * Math.exp(Number(n) / Number(d)) - 1)).toBeLessThan(1e-14)
      const difference = ((value * value) >> 256n) - fixedExp({ numerator: 2n * n, denominator: d })
      expect(difference * difference < 1n << 12n).toBe(true)
    }
    expect(normalCdf(0)).toBe(0.5)
  })
})
