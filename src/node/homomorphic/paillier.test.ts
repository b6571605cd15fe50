import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { plainPower } from '../../privacy/homomorphic/numbers.ts'
import { dealForTest, openForTest, TEST_PRIMES } from '../../privacy/homomorphic/paillier/fixtures.ts'
import { schemeSuite } from '../../privacy/homomorphic/scheme.suite.ts'
import { organisationId } from '../../base/ids.ts'
import { dealNewPaillier, type OpenScheme, openPaillier } from './paillier.ts'
import { opensslPower } from './power.ts'

const opened: OpenScheme[] = []
const open = (parameters: unknown, threads: number): OpenScheme => {
  const scheme = openPaillier(parameters, threads)
  opened.push(scheme)
  return scheme
}
afterAll(async () => void (await Promise.all(opened.map((scheme) => scheme.close()))))

schemeSuite({
  name: 'threshold Paillier in two threads',
  levels: 32_767,
  deal: (request) => dealNewPaillier(request, { modulusBits: 512, exponentBits: 256, primes: TEST_PRIMES }),
  open: async (parameters) => open(parameters, 2),
})

describe('threads', () => {
  it('change no byte', async () => {
    const organisations = ['a', 'b'].map(organisationId)
    const { parameters } = dealForTest({ organisations, threshold: 2, levels: 100, contributionsMax: 2 })
    const values = Int32Array.from({ length: 1000 }, (_, i) => (i % 201) - 100)
    const seed = new Uint8Array(32).fill(7)
    const plain = await openForTest(parameters).encrypt(values, seed)
    for (const threads of [0, 2, 3]) expect(await open(parameters, threads).encrypt(values, seed)).toEqual(plain)
  })
})

describe('exponentiation by OpenSSL', () => {
  it('is that of the reference, for trivial bases and exponents beyond the modulus too', () => {
    const m = (TEST_PRIMES[0] * TEST_PRIMES[1]) ** 2n
    const base = fc.oneof(fc.bigInt({ min: 0n, max: m + 5n }), fc.constantFrom(0n, 1n, m - 1n, m, m + 1n))
    const exponent = fc.oneof(fc.bigInt({ min: 0n, max: 1n << 1300n }), fc.constantFrom(0n, 1n, 2n))
    fc.assert(
      fc.property(base, exponent, (b, e) => {
        expect(opensslPower(m)(b, e)).toBe(plainPower(m)(b, e))
      }),
      { numRuns: 60 },
    )
    expect(opensslPower(35n)(2n, 10n)).toBe(9n)
  })
})
