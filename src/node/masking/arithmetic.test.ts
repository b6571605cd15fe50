import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chunkSum } from '../../models/kernels/masking.ts'
import { plainArithmetic, roundWords } from '../../privacy/masking/arithmetic.ts'
import { release } from '../../base/release.ts'
import { keystream, seededBytes } from '../../privacy/masking/keystream.ts'
import { scaleFor } from '../../privacy/masking/quantise.ts'
import { maskRange, maskText, maskUpdate } from '../../privacy/masking/vector.ts'
import { loadKernels } from '../kernels.ts'

const kernels = loadKernels()

describe.each([32, 64] as const)('the kernels mod 2^%i', (width) => {
  it('add and subtract as the plain loops do, as many as there are and in any order, after a chunk of any length', () => {
    const [fast, plain] = [chunkSum(kernels, width), plainArithmetic(width)]
    const chunks = fc.integer({ min: 0, max: 40 }).chain((words) => {
      const bytes = (words * width) / 8
      const chunk = fc.uint8Array({ minLength: bytes, maxLength: bytes })
      return fc.tuple(chunk, fc.array(fc.tuple(chunk, fc.boolean()), { maxLength: 14 }))
    })
    fc.assert(
      fc.property(chunks, ([first, others]) => {
        const results = [fast, plain].map((arithmetic) => {
          const out = new Uint8Array(first.length)
          arithmetic.load(first)
          for (const [chunk, adding] of others) (adding ? arithmetic.add : arithmetic.subtract)(chunk)
          arithmetic.store(out)
          return out
        })
        expect(results[0]).toEqual(results[1])
      }),
    )
  })

  it('begin anew after a chunk that was not stored', () => {
    const arithmetic = chunkSum(kernels, width)
    const [ones, out] = [new Uint8Array(64).fill(1), new Uint8Array(64)]
    arithmetic.load(ones)
    arithmetic.add(ones)
    arithmetic.load(ones)
    arithmetic.store(out)
    expect(out).toEqual(ones)
  })
})

describe('the kernel of stochastic rounding', () => {
  const { round, store } = chunkSum(kernels, 32)
  const value = fc.oneof(
    fc.float({ min: -2, max: 2, noNaN: true }),
    fc.constantFrom(-0, 0, 0.5, -0.5, 1, -1, 1e-44, 3e38),
  )
  const draw = fc.oneof(fc.nat(), fc.constantFrom(0, 1, 2 ** 31, 2 ** 32 - 1))
  const pairs = fc.array(fc.tuple(value, draw), { minLength: 0, maxLength: 50 })

  it('gives the integers of the plain loop, and counts what it clips as it does', () => {
    fc.assert(
      fc.property(
        pairs,
        fc.constantFrom(1, 4, 21_474_836, 2_147_483_647),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        (all, levels, weight) => {
          const values = Float32Array.from(all, ([x]) => x)
          const draws = new Uint8Array(Uint32Array.from(all, ([, y]) => y).buffer)
          const [fast, plain] = [new Int32Array(values.length), new Int32Array(values.length)]
          const clipped = round(values, levels * weight, levels * weight, draws)
          store(new Uint8Array(fast.buffer))
          expect(clipped).toBe(roundWords(values, levels * weight, levels * weight, draws, plain))
          expect(fast).toEqual(plain)
        },
      ),
      { numRuns: 500 },
    )
  })

  it('sees a value that is not finite wherever it is, and nothing that a chunk before left behind', () => {
    const draws = new Uint8Array(4 * 9)
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])
      for (let at = 0; at < 9; at++) {
        const values = new Float32Array(9).fill(0.25).with(at, bad)
        expect(round(values, 4, 4, draws)).toBe(-1)
        expect(round(values.subarray(0, at), 4, 4, draws.subarray(0, 4 * at))).toBe(0)
      }
  })
})

describe('an update that is rounded and masked chunk by chunk', () => {
  // Two chunks and a bit, and more masks than ciphers are open at a time.
  const update = Float32Array.from({ length: 33_001 }, (_, i) => 1.2 * Math.sin(i))
  const random = seededBytes(new Uint8Array(32), 'fused')
  const masks = Array.from({ length: 70 }, (_, i) => maskText({ seed: random(16), sign: i % 3 === 0 ? -1 : 1 }))
  const order = { length: update.length, weight: 3, scale: scaleFor(10, 1, 5), rounding: 'A'.repeat(22), masks }

  it('is what is rounded first and masked then, with many masks and with none', () => {
    for (const some of [order, { ...order, masks: [] }]) {
      const { words, clipped } = maskUpdate(some, update, chunkSum(kernels, 32))
      expect(clipped).toBeGreaterThan(0)
      expect({ words, clipped }).toEqual(maskUpdate(some, update))
    }
  })

  it('may take the place of its values', () => {
    const place = new Uint8Array(update.buffer.slice())
    maskRange(order, new Float32Array(place.buffer), chunkSum(kernels, 32), 0, place)
    expect(Buffer.compare(place, maskUpdate(order, update).words)).toBe(0)
  })
})

describe('bytes of a keystream that are given back', () => {
  it('are gone, and those that share their memory with others stay', () => {
    const bytes = keystream(new Uint8Array(16)).next(64)
    const part = new Uint8Array(64).fill(7).subarray(8, 16)
    release(bytes)
    release(part)
    expect(bytes.length).toBe(0)
    expect([...part]).toEqual(new Array(8).fill(7))
  })
})
