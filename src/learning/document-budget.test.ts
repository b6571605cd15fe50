import { describe, expect, it } from 'vitest'
import { documentBudgetUsed } from './document-budget.ts'
import { configOf } from './learning.suite.ts'
import { noiseOf, roundCost } from './organisation-privacy.ts'
import { examplePlanOf } from './privacy-config.ts'
import { expectedStages } from './stages.ts'

const WHOLE = { unit: 'organisation', mechanism: 'local-discrete-gaussian', epsilon: 4, delta: 1e-5, clip: 2 }

describe('the sum of 1/sigma^2 of the ledger document', () => {
  it('is of every step on rows, over all rounds so far', () => {
    const config = configOf({
      privacy: { unit: 'example', epsilon: 2 },
      rounds: 4,
      local: { batchSize: 100, rowsMax: 500 },
    })
    const { deviation = Number.NaN, clipSteps = Number.NaN, steps = Number.NaN } = examplePlanOf(config) ?? {}
    const once = steps / (deviation / clipSteps) ** 2
    expect(documentBudgetUsed(expectedStages(config), 1)).toBeCloseTo(once, 9)
    expect(documentBudgetUsed(expectedStages(config), 3)).toBeCloseTo(3 * once, 9)
  })

  it('of whole organisations is twice the rho that is accounted with', () => {
    const config = configOf({ privacy: WHOLE, rounds: 5 })
    const noise = noiseOf(config)
    if (noise === null) throw new Error('no noise')
    expect(roundCost(noise)).toMatchObject({ kind: 'concentrated', rho: expect.any(Number) })
    const { rho } = roundCost(noise) as { rho: number }
    expect(documentBudgetUsed(expectedStages(config), 5)).toBeCloseTo(10 * rho, 9)
  })

  it('is absent where nothing is private, so that nobody reads a zero as a measurement', () => {
    expect(documentBudgetUsed(expectedStages(configOf()), 3)).toBeUndefined()
    // A share of noise that nothing hides is no privacy.
    const shared = configOf({
      protection: 'secagg',
      privacy: { ...WHOLE, mechanism: 'distributed-discrete-gaussian' },
      round: { participantsMin: 10 },
    })
    const bare = expectedStages(shared).filter(({ stage }) => stage !== 'mask')
    expect(documentBudgetUsed(bare, 1)).toBeUndefined()
  })
})
