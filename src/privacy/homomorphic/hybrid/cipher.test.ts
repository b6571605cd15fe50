import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { utf8 } from '../../../base/bytes.ts'
import { sha256 } from '../../../base/hash.ts'
import { prng } from '../../../base/prng.ts'
import { cover, createRing, drawKey, noiseMax, type Ring, ringPrimes, uncover } from './cipher.ts'
import { addCoefficients, readCoefficient, requireCoefficients, viewOf, writeCoefficient } from './coefficients.ts'
import { DEGREE } from './modulus.ts'
import { createTransform } from './transform.ts'

const seed = (label: string): Uint8Array => sha256(utf8(label))
const domain = seed('parameters')
const random = prng('cipher')
const valuesOf = (length: number, levels: number): Int32Array =>
  Int32Array.from({ length }, () => random.below(2 * levels + 1) - levels)
const plus = (a: Int32Array, b: Int32Array): Int32Array => a.map((value, i) => value + (b[i] as number))
const covered = (ring: Ring, values: Int32Array, key: Int32Array, label: string): Uint8Array =>
  cover(ring, values, { key, domain, first: 0 }, seed(label))

/** Schoolbook, mod X^n + 1 and p. */
function product(a: readonly number[], b: readonly number[], p: number): number[] {
  const result = new Array<number>(a.length).fill(0)
  a.forEach((x, i) =>
    b.forEach((y, j) => {
      const at = (i + j) % a.length
      const signed = i + j < a.length ? x * y : -x * y
      result[at] = ((((result[at] as number) + signed) % p) + p) % p
    }),
  )
  return result
}

describe('the transform', () => {
  it('turns products of polynomials into products of coordinates, for any polynomials and primes', () => {
    const residue = fc.integer({ min: 0, max: 2 ** 26 })
    const pair = fc.tuple(residue, residue)
    fc.assert(
      fc.property(
        fc.array(pair, { minLength: 16, maxLength: 16 }),
        fc.constantFrom(97, 61_441, 67_104_769),
        (pairs, p) => {
          const transform = createTransform(16, p)
          const [a, b] = [pairs.map(([x]) => x % p), pairs.map(([, y]) => y % p)]
          const [x, y] = [Float64Array.from(a), Float64Array.from(b)]
          transform.forward(x)
          transform.forward(y)
          const z = x.map((value, i) => (value * (y[i] as number)) % p)
          transform.inverse(z)
          expect([...z]).toEqual(product(a, b, p))
        },
      ),
      { numRuns: 50 },
    )
  })
})

describe('the ring', () => {
  it('has room for the largest errors and sums of its bounds, and an exact modulus of at most 52 bits', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4096 }),
        fc.integer({ min: 1, max: 524_287 }),
        (contributionsMax, levels) => {
          const [p, r] = ringPrimes({ levels, contributionsMax })
          const sum = BigInt(levels * contributionsMax)
          const largest = (2n * sum + 1n) * BigInt(noiseMax() * contributionsMax) + sum
          expect(BigInt(p) * BigInt(r)).toBeGreaterThan(2n * largest)
          expect([p % (2 * DEGREE), r % (2 * DEGREE), p < r, r < 2 ** 26, p * r <= 2 ** 52]).toEqual([
            1,
            1,
            true,
            true,
            true,
          ])
        },
      ),
      { numRuns: 60 },
    )
  })

  it('takes 32 bits for 16 organisations, and at most 37, for which tables give 192 bits of security, for 64', () => {
    const bits = (contributionsMax: number): number => {
      const [p, r] = ringPrimes({ levels: 32_767, contributionsMax })
      return Math.log2(p * r)
    }
    expect(bits(16)).toBeLessThanOrEqual(32)
    expect(bits(64)).toBeLessThanOrEqual(37)
  })
})

describe('sums of ciphertexts', () => {
  for (const [levels, contributionsMax] of [
    [32_767, 10],
    [500_000, 4000],
  ] as const) {
    const ring = createRing({ levels, contributionsMax })
    const [a, b] = [valuesOf(DEGREE + 100, levels), valuesOf(DEGREE + 100, levels)]
    const [first, second] = [drawKey(seed('k')), drawKey(seed('l'))]
    const sum = addCoefficients([covered(ring, a, first, 'a'), covered(ring, b, second, 'b')], ring)

    it(`open under the sum of keys, exactly (${contributionsMax} of ${levels})`, () => {
      expect(uncover(ring, sum, { key: plus(first, second), domain, first: 0 }, 2)).toEqual(plus(a, b))
    })

    it(`open under no single key, and no single ciphertext under the sum (${contributionsMax} of ${levels})`, () => {
      for (const key of [first, second, plus(first, first), new Int32Array(DEGREE)])
        expect(uncover(ring, sum, { key, domain, first: 0 }, 2)).toBeUndefined()
      const single = covered(ring, a, first, 'a')
      expect(uncover(ring, single, { key: plus(first, second), domain, first: 0 }, 1)).toBeUndefined()
      expect(uncover(ring, single, { key: first, domain: seed('others'), first: 0 }, 1)).toBeUndefined()
    })
  }

  it('of the largest values and errors do not wrap', () => {
    const ring = createRing({ levels: 1000, contributionsMax: 3 })
    const largest = 3 * (1000 + ring.plainModulus * noiseMax())
    const bytes = new Uint8Array(2 * ring.bytes)
    writeCoefficient(viewOf(bytes), 0, ring.bytes, largest)
    writeCoefficient(viewOf(bytes), ring.bytes, ring.bytes, ring.q - largest)
    const none = { key: new Int32Array(DEGREE), domain, first: 0 }
    expect(uncover(ring, bytes, none, 3)).toEqual(Int32Array.of(3000, -3000))
    expect(uncover(ring, bytes, none, 2)).toBeUndefined()
  })
})

describe('keys and errors', () => {
  it('have the variance for which an opened sum of them still leaves the problem hard', () => {
    const draws = Array.from({ length: 20 }, (_, i) => [...drawKey(seed(`draw ${i}`))]).flat()
    const variance = draws.reduce((sum, value) => sum + value ** 2, 0) / draws.length
    expect(variance).toBeGreaterThan(40)
    expect(variance).toBeLessThan(42)
    expect(Math.abs(draws.reduce((sum, value) => sum + value, 0) / draws.length)).toBeLessThan(0.15)
  })

  it('are new for each seed, and errors for each block', () => {
    const ring = createRing({ levels: 1, contributionsMax: 1 })
    const zeros = new Int32Array(2 * DEGREE)
    const none = new Int32Array(DEGREE)
    const cipher = covered(ring, zeros, none, 'x')
    const half = cipher.length / 2
    expect(cipher.subarray(0, half)).not.toEqual(cipher.subarray(half))
    expect(covered(ring, zeros, none, 'y')).not.toEqual(cipher)
    expect(drawKey(seed('x'))).not.toEqual(drawKey(seed('y')))
  })
})

describe('coefficients', () => {
  /** More than are added at a time, at a place where no word begins. */
  const COUNT = 4_099
  const written = (values: readonly number[], bytes: number): Uint8Array => {
    const cipher = new Uint8Array(COUNT * bytes + 1).subarray(1)
    values.forEach((value, i) => writeCoefficient(viewOf(cipher), i * bytes, bytes, value))
    return cipher
  }
  const widths = [2 ** 32 - 5, 2 ** 45 - 55, 2 ** 52 - 1].map((q) => ({ q, bytes: Math.ceil(Math.log2(q) / 8) }))

  it.each(widths)('add up modulo $q, however many and however large', (width) => {
    const { q, bytes } = width
    const rows = Array.from({ length: 9 }, () => Array.from({ length: COUNT }, () => q - 1 - random.below(1000)))
    const total = addCoefficients(
      rows.map((row) => written(row, bytes)),
      width,
    )
    const sums = Array.from({ length: COUNT }, (_, i) => readCoefficient(viewOf(total), i * bytes, bytes))
    const expected = rows.reduce(
      (all, row) => all.map((sum, i) => (sum + BigInt(row[i] as number)) % BigInt(q)),
      new Array<bigint>(COUNT).fill(0n),
    )
    expect(sums).toEqual(expected.map(Number))
  })

  it.each(widths)('of $q or more are refused wherever they are, checked or added', (width) => {
    const fine = new Array<number>(COUNT).fill(width.q - 1)
    expect(() => requireCoefficients(written(fine, width.bytes), width)).not.toThrow()
    for (const at of [0, 4_095, 4_096, COUNT - 1]) {
      const bad = written(fine.with(at, width.q), width.bytes)
      for (const use of [() => requireCoefficients(bad, width), () => addCoefficients([bad, bad], width)])
        expect(use).toThrow(expect.objectContaining({ details: { reason: 'out-of-range' } }))
    }
  })
})

describe('a coefficient', () => {
  it('is read as it was written, at any width', () => {
    const any = fc
      .integer({ min: 4, max: 7 })
      .chain((bytes) => fc.tuple(fc.constant(bytes), fc.integer({ min: 0, max: Math.min(2 ** 52, 256 ** bytes - 1) })))
    fc.assert(
      fc.property(any, ([bytes, value]) => {
        const written = new Uint8Array(bytes + 2)
        writeCoefficient(viewOf(written), 1, bytes, value)
        expect(readCoefficient(viewOf(written), 1, bytes)).toBe(value)
        expect([written[0], written[bytes + 1]]).toEqual([0, 0])
      }),
    )
  })
})
