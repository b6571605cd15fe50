import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toBase64Url, toHex } from '../../base/bytes.ts'
import { plainArithmetic, type Width } from './arithmetic.ts'
import { CHUNK_BYTES, keystream, seededBytes } from './keystream.ts'
import { addVectors, applyMasks, type Mask, splitRange } from './mask.ts'
import { roundSecrets } from './secrets.ts'

const random = seededBytes(new Uint8Array(32), 'mask.test')
const masksOf = (count: number): Mask[] =>
  Array.from({ length: count }, (_, i) => ({ seed: random(16), sign: i % 2 === 0 ? 1 : -1 }))
const inverse = (masks: readonly Mask[]): Mask[] => masks.map(({ seed, sign }) => ({ seed, sign: sign === 1 ? -1 : 1 }))

describe.each([32, 64] as const)('masks mod 2^%i', (width: Width) => {
  const arithmetic = plainArithmetic(width)
  const step = width / 8

  it('come off again, whatever the length and the number of masks', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40_000 }), fc.integer({ min: 0, max: 70 }), (elements, count) => {
        const vector = random(elements * step)
        const masked = vector.slice()
        const masks = masksOf(count)
        applyMasks(masked, masks, arithmetic)
        applyMasks(masked, inverse(masks), arithmetic)
        expect(Buffer.compare(masked, vector)).toBe(0)
      }),
      { numRuns: 20 },
    )
  })

  it('are the same applied in ranges as at once', () => {
    const masks = masksOf(5)
    const whole = random(50_001 * step)
    const inParts = whole.slice()
    applyMasks(whole, masks, arithmetic)
    for (const { from, length } of splitRange(50_001, width, 3))
      applyMasks(inParts.subarray(from, from + length), masks, arithmetic, from)
    expect(Buffer.compare(inParts, whole)).toBe(0)
  })

  it('are integers of the keystream, little-endian, added mod 2^b', () => {
    const seed = random(16)
    const words = new Uint8Array(step * 3).fill(0xff)
    const view = (bytes: Uint8Array): bigint[] =>
      width === 32
        ? [...new Uint32Array(bytes.slice().buffer)].map(BigInt)
        : [...new BigUint64Array(bytes.slice().buffer)]
    applyMasks(words, [{ seed, sign: 1 }], arithmetic)
    const expected = view(keystream(seed).next(step * 3)).map((value) => BigInt.asUintN(width, value - 1n))
    expect(view(words)).toEqual(expected)
  })

  it('add up vectors of more than a chunk, and refuse one of another length', () => {
    const vectors = [random(CHUNK_BYTES + 64), random(CHUNK_BYTES + 64), random(CHUNK_BYTES + 64)]
    const sum = new Uint8Array(CHUNK_BYTES + 64)
    addVectors(sum, vectors, arithmetic)
    const integers = (bytes: Uint8Array): bigint[] =>
      width === 32 ? [...new Uint32Array(bytes.buffer)].map(BigInt) : [...new BigUint64Array(bytes.buffer)]
    const [a = [], b = [], c = []] = vectors.map(integers)
    expect(integers(sum)).toEqual(a.map((x, i) => BigInt.asUintN(width, x + (b[i] ?? 0n) + (c[i] ?? 0n))))
    expect(() => addVectors(sum, [new Uint8Array(8)], arithmetic)).toThrow('8 bytes')
  })
})

describe('the distribution of a mask', () => {
  it('covers the whole range: no top value, bit or byte is left out (defect: masks that never take the top value)', () => {
    const words = new Uint8Array(4_000_000)
    applyMasks(words, [{ seed: new Uint8Array(16).fill(7), sign: 1 }], plainArithmetic(32))
    const masks = new Uint32Array(words.buffer)
    // The largest of 10^6 uniform values misses the top 2^17 of 2^32 with probability e^-30.
    expect(masks.reduce((largest, value) => Math.max(largest, value), 0)).toBeGreaterThanOrEqual(2 ** 32 - 2 ** 17)
    expect(masks.reduce((least, value) => Math.min(least, value), 2 ** 32)).toBeLessThan(2 ** 17)
    for (let lane = 0; lane < 4; lane++) {
      const counts = new Uint32Array(256)
      for (let i = lane; i < words.length; i += 4) counts[words[i] ?? 0]!++
      const expected = words.length / 4 / 256
      const chiSquare = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
      // 255 degrees of freedom: mean 255, standard deviation 22.6.
      expect(chiSquare).toBeLessThan(255 + 5 * 22.6)
    }
  })

  it('follows from 128 bits, and from no fewer (defect: 32-bit seeds)', () => {
    expect(() => applyMasks(new Uint8Array(64), [{ seed: new Uint8Array(4), sign: 1 }], plainArithmetic(32))).toThrow(
      '16 bytes',
    )
    const maskOf = (seed: Uint8Array): string => {
      const words = new Uint8Array(16)
      applyMasks(words, [{ seed, sign: 1 }], plainArithmetic(32))
      return toHex(words)
    }
    const seeds = Array.from({ length: 16 }, (_, i) => new Uint8Array(16).fill(1, i, i + 1))
    expect(new Set([new Uint8Array(16), ...seeds].map(maskOf)).size).toBe(17)
  })

  it('and every secret of a round from all 32 bytes of its seed, none of which may be missing (defect: 32-bit seeds)', () => {
    const secretsOf = (seed: Uint8Array): string[] => {
      const { boxKey, maskKey, self, random } = roundSecrets(toBase64Url(seed))
      return [boxKey, maskKey, toHex(self), toHex(random('neighbours')(16)), toHex(random('mask-polynomial')(16))]
    }
    const seeds = Array.from({ length: 32 }, (_, i) => new Uint8Array(32).fill(1, i, i + 1))
    const all = [new Uint8Array(32), ...seeds].map(secretsOf)
    for (const kind of [0, 1, 2, 3, 4]) expect(new Set(all.map((secrets) => secrets[kind])).size).toBe(33)
    for (const length of [0, 4, 31, 33])
      expect(() => roundSecrets(toBase64Url(new Uint8Array(length)))).toThrow('32 bytes')
  })
})
