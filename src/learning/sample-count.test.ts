import { describe, expect, it } from 'vitest'
import { encryptionContext } from './encryption-config.ts'
import { configOf, digestFor, opening } from './learning.suite.ts'
import { maskingContext } from './masking-config.ts'
import { weightMaxOf } from './sample-count.ts'

const clear = configOf({ local: { rowsMax: 2000 } })
const secret = { ...clear, privacy: configOf({ privacy: { unit: 'example', epsilon: 4 } }).privacy }
const where = {
  ...{ federation: 'f.example' as never, round: 'r-1' as never, task: 't' as never, length: 4 },
  invited: opening().candidates,
}
const scheme = {
  kind: 'paillier',
  parameters: digestFor('key'),
  threshold: 2,
  levels: 9,
  vectorBytes: () => 1,
} as const

describe('the weight that an organisation may claim', () => {
  it('is at most the rows that a training takes of anybody, and a lower bound of the operator holds', () => {
    expect(weightMaxOf(clear)).toBe(2000)
    expect(weightMaxOf({ ...clear, round: { ...clear.round, sampleCountMax: 50 } })).toBe(50)
  })

  it('is 1 under privacy: with the cap of the policy, one liar would be the mean of all', () => {
    expect(secret.privacy).not.toBeNull()
    expect(weightMaxOf(secret)).toBe(1)
  })

  it('is a number of steps where a policy learns from a game', () => {
    expect(weightMaxOf({ ...clear, model: { kind: 'policy' } })).toBe(clear.round.sampleCountMax)
  })

  it.each([
    ['in the clear', clear, 2000],
    ['under privacy', secret, 1],
  ])('is what masking and encryption sign, too: %s', (_, config, weightMax) => {
    expect(maskingContext(config, where, { normMax: null, grid: null })).toMatchObject({ weightMax })
    expect(encryptionContext({ ...config, protection: 'paillier' }, where, scheme, null)).toMatchObject({ weightMax })
  })
})
