import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeElement, encodeElement, type Field, modulo, type RandomBytes, SHARE_FIELD } from './field.ts'
import { seededBytes } from './keystream.ts'
import { combineShares, interpolationOver, splitSecret } from './shamir.ts'

const random = (label: string): RandomBytes => seededBytes(new Uint8Array(32), label)
const elements = fc.bigInt({ min: 0n, max: SHARE_FIELD.prime - 1n })

/** Random bytes that reduce to these elements of the field, in turn. */
function scripted(values: readonly bigint[]): RandomBytes {
  let next = 0
  return (length) => {
    const bytes = new Uint8Array(length)
    bytes.set(encodeElement(values[next++] ?? 0n), length - 32)
    return bytes
  }
}

describe('Shamir sharing', () => {
  it('gives the secret back from any threshold of its shares, or more', () => {
    const cases = fc.integer({ min: 1, max: 24 }).chain((count) =>
      fc.record({
        secret: elements,
        threshold: fc.integer({ min: 1, max: count }),
        order: fc.shuffledSubarray(
          Array.from({ length: count }, (_, i) => i + 1),
          { minLength: count },
        ),
        extra: fc.nat(count),
      }),
    )
    fc.assert(
      fc.property(cases, ({ secret, threshold, order, extra }) => {
        const shares = splitSecret(secret, { threshold, count: order.length }, SHARE_FIELD, random('any'))
        const present = order.slice(0, Math.max(threshold, extra))
        const coefficients = interpolationOver(order.length, SHARE_FIELD)(present)
        const known = present.map((x) => shares[x - 1] ?? 0n)
        expect(combineShares(coefficients, known, SHARE_FIELD)).toBe(secret)
      }),
    )
  })

  it('gives each view of threshold - 1 shares equally often, whatever the secret: counted over a field of 7 elements', () => {
    const field: Field = { prime: 7n }
    for (const [x1, x2] of [
      [1, 2],
      [1, 4],
      [3, 4],
    ] as const) {
      const views = [0n, 3n, 6n].map((secret) => {
        const counts = new Map<string, number>()
        for (let a = 0n; a < 7n; a++)
          for (let b = 0n; b < 7n; b++) {
            const shares = splitSecret(secret, { threshold: 3, count: 4 }, field, scripted([a, b]))
            const view = `${shares[x1 - 1]} ${shares[x2 - 1]}`
            counts.set(view, (counts.get(view) ?? 0) + 1)
          }
        return counts
      })
      for (const counts of views) {
        expect(counts.size).toBe(49)
        expect([...counts.values()].every((count) => count === 1)).toBe(true)
      }
    }
  })

  it('gives something else from fewer shares than the threshold', () => {
    const shares = splitSecret(5n, { threshold: 4, count: 6 }, SHARE_FIELD, random('fewer'))
    const coefficients = interpolationOver(6, SHARE_FIELD)([1, 3, 6])
    expect(
      combineShares(
        coefficients,
        [1, 3, 6].map((x) => shares[x - 1] ?? 0n),
        SHARE_FIELD,
      ),
    ).not.toBe(5n)
  })

  it('agrees with the definition of the Lagrange coefficients at 0', () => {
    const field: Field = { prime: 101n }
    const present = [2, 3, 7, 11]
    const coefficients = interpolationOver(12, field)(present)
    present.forEach((i, at) => {
      let numerator = 1n
      let denominator = 1n
      for (const j of present)
        if (j !== i) {
          numerator = modulo(numerator * BigInt(j), field)
          denominator = modulo(denominator * BigInt(j - i), field)
        }
      expect(modulo((coefficients[at] ?? 0n) * denominator, field)).toBe(numerator)
    })
  })

  it('refuses a threshold above the count, a secret outside the field, and a share named twice', () => {
    expect(() => splitSecret(1n, { threshold: 3, count: 2 }, SHARE_FIELD, random('x'))).toThrow()
    expect(() => splitSecret(SHARE_FIELD.prime, { threshold: 2, count: 3 }, SHARE_FIELD, random('x'))).toThrow()
    expect(() => interpolationOver(4, SHARE_FIELD)([1, 1])).toThrow()
    expect(() => interpolationOver(4, SHARE_FIELD)([5])).toThrow()
  })
})

describe('shares as bytes', () => {
  it('are read back as they were written', () => {
    fc.assert(fc.property(elements, (value) => decodeElement(encodeElement(value)) === value))
  })

  it('have 32 bytes and one spelling: the prime and what lies above it are refused', () => {
    expect(encodeElement(1n)).toHaveLength(32)
    expect(() => decodeElement(encodeElement(SHARE_FIELD.prime))).toThrow('not an element')
    expect(() => decodeElement(new Uint8Array(31))).toThrow('32 bytes')
    expect(() => decodeElement(new Uint8Array(33))).toThrow('32 bytes')
  })
})
