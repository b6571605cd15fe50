import { expect, it } from 'vitest'
import { roundId } from '../base/ids.ts'
import { PROTECTIONS } from '../learning/masking-config.ts'
import { inTheClear, type Openness, warnInTheClear } from './in-the-clear.ts'
import type { OrganisationContext } from './organisation/identity.ts'
import { warnOncePerTraining } from './organisation/warn-once.ts'

const said: string[] = []
const log = { warn: (_: object, message: string) => void said.push(message), error: () => undefined }

it('of all protections only "plain" is warned of, and says who reads what', () => {
  expect(PROTECTIONS.filter((protection) => inTheClear({ protection }).length > 0)).toEqual(['plain'])
  said.length = 0
  for (const protection of PROTECTIONS) warnInTheClear(log, { protection }, {})
  expect(said).toEqual([expect.stringContaining('the hub reads the update of every organisation')])
})

it('a training without differential privacy is warned of, unless it learns from nobody', () => {
  expect(inTheClear({ protection: 'secagg', privacy: null })).toEqual([expect.stringContaining('requirePrivacy')])
  expect(inTheClear({ privacy: null, model: { kind: 'policy' } })).toEqual([])
  expect(inTheClear({ privacy: { unit: 'example' } })).toEqual([])
  expect(inTheClear({ protection: 'plain', privacy: null })).toHaveLength(2)
})

it('an organisation is told once a training that its updates leave in the clear', () => {
  said.length = 0
  const context = { options: { log } } as unknown as OrganisationContext
  const take = (training: string, round: number, protection: 'plain' | 'secagg'): void =>
    warnOncePerTraining(context, {
      ...{ roundId: roundId(`${training}-${round}`), round },
      config: { protection, privacy: {}, model: {} } satisfies Openness as never,
    })
  for (const round of [1, 2, 3]) take('open', round, 'plain')
  expect(said).toHaveLength(1)
  for (const round of [1, 2]) take('hidden', round, 'secagg')
  expect(said).toHaveLength(1)
  take('open-again', 1, 'plain')
  expect(said).toHaveLength(2)
})
