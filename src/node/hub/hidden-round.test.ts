import { expect, it, vi } from 'vitest'
import { organisationId, roundId } from '../../base/ids.ts'
import { maskingEnded, warnSpoilt } from './hidden-round.ts'
import type { HubContext } from './identity.ts'

const [liar, dealer, holder] = ['bank-a', 'bank-b', 'bank-c'].map(organisationId)
const round = roundId('t-1')

it('the log of the hub names who spoilt a round, and is silent where nobody did', () => {
  const warn = vi.fn()
  const context = { options: { log: { warn, error: warn } } } as unknown as HubContext
  warnSpoilt(context, round, { blamed: [], disputed: [] })
  expect(warn).not.toHaveBeenCalled()
  const spoilt = { blamed: [liar], disputed: [{ dealer, holder }] } as never
  warnSpoilt(context, round, spoilt)
  expect(warn).toHaveBeenCalledWith({ round, blamed: [liar], disputed: [{ dealer, holder }] }, expect.any(String))
})

it('an end that was stored before anybody could be named ends the round all the same', () => {
  const end = { reason: 'false-shares', detail: 'why' }
  expect(maskingEnded(0, end)).toEqual({ type: 'masking-ended', bucket: 0, ...end })
})
