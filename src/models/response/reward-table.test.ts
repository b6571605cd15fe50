import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { sharedPath } from '../../../test/shared.ts'
import { earned, misses, type PublishedRow } from './reward-table.ts'

const path = sharedPath('vectors/cage2/reward-table.json')
const rows: readonly PublishedRow[] = path === undefined ? [] : JSON.parse(readFileSync(path, 'utf8')).rows

/** 1000 episodes a row, seed 'reward-table'; the standard error of the noisiest row is under 2 % of its mean. */
const EPISODES = 1000
const within = (row: PublishedRow, share: number): void => {
  const { mean } = earned(row, EPISODES, 'reward-table')
  const { mini, cage2 } = misses(row, mean)
  expect(Math.max(mini, cage2), `${row.red} against ${row.blue}: ${mean.toFixed(1)}`).toBeLessThan(share)
}

describe('scripted blue agents over 100 steps', () => {
  it.skipIf(path === undefined)(
    'earn within 5 % of both published totals, B-line against React-Restore apart (reads shared vectors)',
    () => {
      const others = rows.filter(({ red, blue }) => !(red === 'B-line' && blue === 'React-Restore'))
      expect(others).toHaveLength(5)
      for (const row of others) within(row, 0.05)
    },
  )

  it.skipIf(path === undefined)(
    'earn 5 to 10 % more than published with React-Restore against B-line (reads shared vectors)',
    () => {
      const row = rows.find(({ red, blue }) => red === 'B-line' && blue === 'React-Restore')
      if (row === undefined) throw new Error('the shared table lacks the row')
      const { mean } = earned(row, EPISODES, 'reward-table')
      expect(misses(row, mean).mini).toBeGreaterThan(0.05)
      expect(mean).toBeGreaterThan(row.mini)
      within(row, 0.1)
    },
  )
})
