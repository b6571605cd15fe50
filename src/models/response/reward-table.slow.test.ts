import { describe, expect, it } from 'vitest'
import { earned, type PublishedRow } from './reward-table.ts'

const EPISODES = 20_000

/** Means of 20,000 episodes with the seed 'precise'. */
const MEANS: readonly (Pick<PublishedRow, 'red' | 'blue'> & { readonly mean: number })[] = [
  { red: 'B-line', blue: 'React-Restore', mean: -144.54 },
  { red: 'B-line', blue: 'React-Decoy', mean: -70.31 },
  { red: 'B-line', blue: 'Sleep', mean: -1139.26 },
  { red: 'Meander', blue: 'React-Restore', mean: -69.93 },
  { red: 'Meander', blue: 'React-Decoy', mean: -61.67 },
  { red: 'Meander', blue: 'Sleep', mean: -1062.9 },
]

describe('the reward table at full precision', () => {
  it.each(MEANS)('$red against $blue earns $mean with a standard error under 0.5', ({ red, blue, mean }) => {
    const result = earned({ red, blue, cage2: 0, mini: 0 }, EPISODES, 'precise')
    expect(result.standardError).toBeLessThan(0.5)
    expect(result.mean).toBeCloseTo(mean, 1)
  })
})
