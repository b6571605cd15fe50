import { expect, it } from 'vitest'
import { fromBase64Url } from '../../base/bytes.ts'
import { freshSeed } from './hidden-round.ts'
import type { OrganisationContext } from './identity.ts'

it('the seed of a round is 32 bytes of the source of randomness, just as they came (defect: 32-bit seeds)', () => {
  const drawn: Uint8Array[] = []
  const bytes = (count: number): Uint8Array => {
    const fresh = Uint8Array.from({ length: count }, (_, i) => 7 * i + drawn.length)
    drawn.push(fresh)
    return fresh
  }
  const context = { ports: { random: { bytes } } } as unknown as OrganisationContext
  const seeds = [freshSeed(context), freshSeed(context)]
  expect(drawn.map(({ length }) => length)).toEqual([32, 32])
  expect(seeds.map(fromBase64Url)).toEqual(drawn)
})
