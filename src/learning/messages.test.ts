import { describe, expect, it } from 'vitest'
import { organisationId } from '../base/ids.ts'
import { configOf, contributionOf, digestFor, ROUND } from './learning.suite.ts'
import { BODY_SCHEMAS, isMessageType, organisationIdSchema, parseBody } from './messages.ts'

const { update, stages } = contributionOf('org-a')
const contribution = {
  round_id: ROUND,
  org_id: 'org-a',
  encrypted_gradient: {
    blob: update,
    base_model: digestFor('base'),
    sample_count: 3,
    stages,
    metrics: { loss: 1 },
    data_sources: [],
  },
}
const gradient = (changes: object) => ({
  ...contribution,
  encrypted_gradient: { ...contribution.encrypted_gradient, ...changes },
})

describe('bodies', () => {
  it('of a contribution and an announcement pass as they were written', () => {
    expect(parseBody('contribution', contribution)).toEqual(contribution)
    const announcement = {
      round_id: ROUND,
      training_id: 't1',
      round: 1,
      base_model: digestFor('base'),
      config: configOf(),
      deadline: 5,
    }
    expect(parseBody('round-announced', announcement)).toEqual(announcement)
  })

  it('with a hostile sample count reach the round, which has a code of its own for it', () => {
    for (const sample_count of [-1, 0, 1e12, 0.5])
      expect(parseBody('contribution', gradient({ sample_count }))).toBeDefined()
  })

  it.each<[string, object]>([
    ['an unknown member', { ...contribution, extra: 1 }],
    ['an organisation called hub', { ...contribution, org_id: 'hub' }],
    ['a malformed digest', gradient({ base_model: 'abc' })],
    ['a blob of negative size', gradient({ blob: { digest: update.digest, size: -1 } })],
    ['an unknown stage', gradient({ stages: [{ stage: 'magic', applied: true, norm_max: null }] })],
    ['too many metrics', gradient({ metrics: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`m${i}`, i])) })],
    ['a metric that is not a number', gradient({ metrics: { loss: 'low' } })],
  ])('with %s are refused, naming the type', (_name, body) => {
    expect(() => parseBody('contribution', body)).toThrow(
      expect.objectContaining({ code: 'invalid-request', message: expect.stringMatching(/^contribution: /) }),
    )
  })

  it('of every type refuse what is no object', () => {
    for (const type of Object.keys(BODY_SCHEMAS)) {
      if (!isMessageType(type)) throw new Error(type)
      for (const body of [null, 'text', 7, []])
        expect(() => parseBody(type, body)).toThrow(expect.objectContaining({ code: 'invalid-request' }))
    }
  })

  it('types are the own names of the list only', () => {
    expect(isMessageType('contribution')).toBe(true)
    for (const type of ['toString', '__proto__', 'constructor', 'contributions'])
      expect(isMessageType(type)).toBe(false)
  })

  it('know the same organisation names as the base room', () => {
    for (const name of [
      'a',
      'org-a',
      'a'.repeat(63),
      'hub',
      'operator',
      'hubs',
      '',
      '-a',
      'a-',
      'A',
      'a'.repeat(64),
      'a b',
      'a\n',
    ]) {
      const asBase = (): string => organisationId(name)
      if (organisationIdSchema.safeParse(name).success) expect(asBase).not.toThrow()
      else expect(asBase).toThrow(expect.objectContaining({ code: 'invalid-request' }))
    }
  })
})
