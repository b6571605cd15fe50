import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bigOf, bytesOf, gcd, inverse, plainPower, randomBelow } from './numbers.ts'
import { integersOf, meanOf, pack, packingFor, scaleOf, unpack } from './packing.ts'
import { quantise } from '../masking/quantise.ts'
import { keystream } from '../masking/keystream.ts'

const positive = fc.bigInt({ min: 0n, max: 1n << 600n })

describe('large integers', () => {
  it('as bytes and back are what they were', () => {
    fc.assert(
      fc.property(positive, (n) => {
        expect(bigOf(bytesOf(n, 80))).toBe(n)
      }),
    )
    expect(bytesOf(258n, 3)).toEqual(Uint8Array.of(0, 1, 2))
    expect(() => bytesOf(256n, 1)).toThrow()
  })

  it('have an inverse exactly when they have no factor in common with the modulus', () => {
    fc.assert(
      fc.property(positive, fc.bigInt({ min: 2n, max: 10_000n }), (a, m) => {
        const found = inverse(a, m)
        expect(found === undefined).toBe(gcd(a, m) !== 1n)
        if (found !== undefined) expect((a * found) % m).toBe(1n)
      }),
    )
  })

  it('are raised to powers as by repeated multiplication', () => {
    const modulus = fc.bigInt({ min: 2n, max: 1n << 90n })
    fc.assert(
      fc.property(positive, fc.integer({ min: 0, max: 40 }), modulus, (b, e, m) => {
        expect(plainPower(m)(b, BigInt(e))).toBe(b ** BigInt(e) % m)
      }),
    )
  })

  it('are drawn below a bound, its last value too', () => {
    const stream = keystream(new Uint8Array(16))
    const drawn = Array.from({ length: 400 }, () => randomBelow(5n, (n) => stream.next(n)))
    expect([...new Set(drawn)].sort()).toEqual([0n, 1n, 2n, 3n, 4n])
  })
})

describe('packed values', () => {
  const bounds = { levels: 100, contributionsMax: 7 }

  it('of several contributions, added as one number, are the sums slot by slot', () => {
    const vector = fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 25, maxLength: 25 })
    fc.assert(
      fc.property(fc.array(vector, { minLength: 1, maxLength: 7 }), (vectors) => {
        const packing = packingFor(500, bounds)
        const sum = vectors.map((one) => pack(Int32Array.from(one), packing)).reduce((a, b) => a + b, 0n)
        const out = new Int32Array(25)
        expect(unpack(sum, out, vectors.length, packing)).toBe(true)
        expect([...out]).toEqual(Array.from({ length: 25 }, (_, i) => vectors.reduce((a, v) => a + (v[i] ?? 0), 0)))
      }),
    )
  })

  it('beyond what honest contributions add up to are noticed', () => {
    const packing = packingFor(500, bounds)
    const out = new Int32Array(2)
    expect(unpack(201n, out, 1, packing)).toBe(false)
    expect(unpack(1n << 499n, out, 7, packing)).toBe(false)
    expect(unpack(200n, out, 1, packing)).toBe(true)
  })

  it('need head-room that there is', () => {
    expect(packingFor(2047, { levels: 32_767, contributionsMax: 10 })).toMatchObject({
      slotBits: 20,
      perPlaintext: 102,
    })
    expect(() => packingFor(2047, { levels: 2 ** 30, contributionsMax: 3 })).toThrow('2^31')
    expect(() => packingFor(10, { levels: 32_767, contributionsMax: 3 })).toThrow('does not fit')
  })
})

describe('the weighted mean', () => {
  it('of quantised updates is within one step of the mean of the updates', () => {
    const update = fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 6, maxLength: 6 })
    const one = fc.record({ update, weight: fc.integer({ min: 1, max: 1000 }) })
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 5 }), (all) => {
        const scale = scaleOf({ levels: 32_767, contributionsMax: 5 }, 1, 1000)
        const words = all.map((a) =>
          quantise(Float32Array.from(a.update), a.weight, scale, keystream(new Uint8Array(16))),
        )
        const vectors = words.map((each) => integersOf(each.words))
        const sums = Float64Array.from({ length: 6 }, (_, i) => vectors.reduce((sum, v) => sum + (v[i] ?? 0), 0))
        const total = all.reduce((sum, { weight }) => sum + weight, 0)
        const step = (all.length * 1000) / (32_767 * total)
        meanOf(sums, total, scale).forEach((mean, i) => {
          const plain = all.reduce((sum, a) => sum + a.weight * Math.fround(a.update[i] ?? 0), 0) / total
          expect(Math.abs(mean - plain)).toBeLessThan(step + 1e-6)
        })
      }),
    )
    expect(() => meanOf(new Float64Array(1), 0, scaleOf({ levels: 1, contributionsMax: 1 }, 1, 1))).toThrow('zero')
  })
})
