import { describe, expect, it } from 'vitest'
import type { RoundView } from '../../../src/node/views.ts'
import { renderRounds } from './train-rounds.ts'

const round = (about: Partial<RoundView>): RoundView =>
  ({
    round_id: 't-1',
    phase: 'done',
    participants: ['a', 'b', 'c'],
    submitted: ['a', 'b'],
    reason: null,
    ...about,
  }) as RoundView

describe('train rounds', () => {
  it('names who spoilt a round, and both sides where it cannot be told', () => {
    const text = renderRounds([
      round({}),
      round({
        round_id: 't-2',
        phase: 'abandoned',
        reason: 'masking-failed',
        blamed: ['bank-c'],
        disputed: [{ dealer: 'bank-a', holder: 'bank-b' }],
      }),
    ])
    expect(text).toMatch(/t-1 +done +2\/3/)
    expect(text).toContain('masking-failed; false shares: bank-c; bank-a or bank-b lied about a share')
  })

  it('names nobody where nobody is named', () => {
    expect(renderRounds([round({})])).not.toMatch(/false|lied|null/)
  })
})
