import { describe, expect, it } from 'vitest'
import { renderBudget } from './budget.ts'

describe('entente org budget', () => {
  it('shows a line for all and one for each purpose, with its own limit or none', () => {
    const text = renderBudget({
      dataset: 'own',
      limit: { epsilon: 8, delta: 1e-5 },
      remaining_epsilon: 3.5,
      remaining_delta: 9e-6,
      total_used: 4.5,
      purposes: [
        { purpose: 'training', limit: null, remaining_epsilon: 3.5, remaining_delta: 9e-6, total_used: 4 },
        {
          purpose: 'tuning',
          limit: { epsilon: 2, delta: 1e-9 },
          remaining_epsilon: 0,
          remaining_delta: 0,
          total_used: null,
        },
      ],
    })
    expect(text.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['purpose', 'epsilon', 'used', 'left', 'delta left'],
      ['all', '8', '4.50', '3.50', '9.0e-6'],
      ['training', '-', '4.00', '3.50', '9.0e-6'],
      ['tuning', '2', 'no epsilon covers it', '0.00', '0.0e+0'],
    ])
  })
})
