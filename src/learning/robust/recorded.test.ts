import { expect, it } from 'vitest'
import type { Block } from '../../ledger/block.ts'
import { isReportOf } from './recorded.ts'

const metrics = (changes: object): Block['aggregation_metrics'] => changes as never
const median = { rule: 'median' } as const

it('what the rule of the training says of participants, or of buckets, is a report of it', () => {
  expect(isReportOf(metrics({}), { rule: 'none' }, 3)).toBe(true)
  const lists = { robust_left_out: [0, 2], robust_clipped: [], robust_flagged: [2], robust_against: [1] }
  expect(isReportOf(metrics({ robust_rule: 'median', ...lists }), median, 3)).toBe(true)
  const buckets = {
    buckets: [
      [0, 3, 4],
      [1, 2, 5],
    ],
    bucket_left_out: [1],
    bucket_clipped: [],
    bucket_flagged: [0],
  }
  expect(isReportOf(metrics({ robust_rule: 'median', ...buckets }), median, 6)).toBe(true)
})

it('another rule, and lists that point beyond participants and buckets, are not', () => {
  expect(isReportOf(metrics({ robust_rule: 'krum' }), median, 3)).toBe(false)
  expect(isReportOf(metrics({ robust_rule: 'none' }), { rule: 'none' }, 3)).toBe(false)
  expect(isReportOf(metrics({ robust_rule: 'median', robust_flagged: [3] }), median, 3)).toBe(false)
  expect(isReportOf(metrics({ buckets: [[0, 3]] }), median, 3)).toBe(false)
  expect(isReportOf(metrics({ buckets: [[0], [1]], bucket_against: [2] }), median, 3)).toBe(false)
  expect(isReportOf(metrics({ buckets: [0, 1] }), median, 3)).toBe(false)
})
