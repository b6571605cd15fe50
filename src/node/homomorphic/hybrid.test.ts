import { afterAll, describe, expect, it } from 'vitest'
import { organisationId } from '../../base/ids.ts'
import { TEST_PRIMES } from '../../privacy/homomorphic/paillier/fixtures.ts'
import { schemeSuite } from '../../privacy/homomorphic/scheme.suite.ts'
import type { DealRequest } from '../../privacy/homomorphic/scheme.ts'
import { dealNewHybrid, openHybrid } from './hybrid.ts'
import type { OpenScheme } from './paillier.ts'

const opened: OpenScheme[] = []
const open = (parameters: unknown, threads: number): OpenScheme => {
  const scheme = openHybrid(parameters, threads)
  opened.push(scheme)
  return scheme
}
afterAll(async () => void (await Promise.all(opened.map((scheme) => scheme.close()))))

const deal = (request: DealRequest) =>
  dealNewHybrid(request, { modulusBits: 512, exponentBits: 256, primes: TEST_PRIMES })

schemeSuite({
  name: 'threshold Paillier of keys, in this thread',
  levels: 32_767,
  deal,
  open: async (parameters) => open(parameters, 0),
})

describe('threads', () => {
  it('change no byte', async () => {
    const organisations = ['a', 'b'].map(organisationId)
    const { parameters } = await deal({ organisations, threshold: 2, levels: 100, contributionsMax: 2 })
    const values = Int32Array.from({ length: 5000 }, (_, i) => (i % 201) - 100)
    const seed = new Uint8Array(32).fill(7)
    const plain = await open(parameters, 0).encrypt(values, seed)
    for (const threads of [2, 3]) expect(await open(parameters, threads).encrypt(values, seed)).toEqual(plain)
  })
})
