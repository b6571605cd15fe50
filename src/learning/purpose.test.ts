import { expect, it } from 'vitest'
import { configOf } from './learning.suite.ts'
import { recordedConfig } from './block-content.ts'
import { servesRecorded } from './purpose.ts'

it('an organisation with a list of purposes has no word on blocks of other trainings, nor on those that do not say', () => {
  const tuning = recordedConfig(configOf({ purpose: 'tuning' }))
  expect(servesRecorded(tuning, ['tuning'])).toBe(true)
  expect(servesRecorded(tuning, ['training'])).toBe(false)
  expect(servesRecorded(recordedConfig(configOf()), ['training'])).toBe(true)
  expect(servesRecorded({ digest: '0'.repeat(64) }, ['training'])).toBe(false)
  expect(servesRecorded({ digest: '0'.repeat(64) })).toBe(true)
})
