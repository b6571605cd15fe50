import { describe, expect, it } from 'vitest'
import type { Block } from '../../../src/ledger/block.ts'
import { standings, table } from './reputation.ts'

const block = (round: string, flagged: readonly number[]): Block =>
  ({
    aggregation_metrics: { robust_rule: 'median', robust_flagged: flagged },
    provenance: { round_id: round, participants: [{ org_id: 'bank-a' }, { org_id: 'bank-b' }] },
  }) as unknown as Block

describe('ledger reputation', () => {
  it('names everybody with the last sign, and who is worth a look', () => {
    const text = table(standings(Array.from({ length: 12 }, (_, i) => block(`t-${i + 1}`, [1]))))
    expect(text).toMatch(/bank-a +0\.73 +12 +0 +-/)
    expect(text).toMatch(/bank-b +0\.27 worth a look +12 +12 +flagged in t-12/)
    expect(text).toContain('nobody is excluded')
  })

  it('says so where no rule has looked', () => {
    expect(table(standings([]))).toContain('No robust rule has looked')
  })
})
