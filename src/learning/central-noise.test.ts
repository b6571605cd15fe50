import { describe, expect, it } from 'vitest'
import { loadKernels } from '../../test/kernels.ts'
import { privacyStatement } from './block-content.ts'
import { withAddedNoise } from './central-noise.ts'
import { clip, prepareContribution } from './contribution.ts'
import { configOf, organisation, ROUND } from './learning.suite.ts'
import { afterProposal, announcementOf, factsOf, proposedBlock } from './masked-round.suite.ts'
import { maskedStages } from './masking-config.ts'
import { CENTRAL_MECHANISM, type Mechanism, MECHANISMS, UNTRUSTING_MECHANISMS } from './mechanisms.ts'
import { noiseOf, noiseOverClip } from './organisation-privacy.ts'
import { participantMachine } from './participant.ts'
import { guaranteeOf } from './privacy-config.ts'
import type { MaskedSum } from './round-state.ts'
import { expectedStages, type StageRecord } from './stages.ts'

const kernels = loadKernels()
const PRIVACY = { unit: 'organisation', mechanism: CENTRAL_MECHANISM, epsilon: 4, delta: 1e-5, clip: 2 }
const asked = (changes: Record<string, unknown> = {}) =>
  configOf({
    ...{ privacy: PRIVACY, protection: 'secagg', rounds: 5 },
    round: { participantsMin: 3, deadlineMs: 1_000 },
    ...changes,
  })
const config = asked()
const plan = noiseOf(config) ?? expect.fail('no plan')
const facts = factsOf(config)
const added = expectedStages(config).find(({ stage }) => stage === 'noise')?.parameters ?? {}
const stages = maskedStages(expectedStages(config), facts)

describe('noise that the hub adds to the sum', () => {
  it('is in no contribution: what is masked is the clipped update in whole steps, without any draw', () => {
    const update = Float32Array.of(30, -4, 0.5)
    const { update: sent, stages: said } = prepareContribution(update, { config, parameterCount: 3, kernels })
    const clipped = clip(update, { config, kernels, parameterCount: 3 }).update
    const step = 2 ** plan.exponent
    expect([...sent]).toEqual([...clipped].map((value) => Math.trunc(value / step) * step))
    expect(said).toEqual(expectedStages(config))
  })

  it('is that of one organisation, however many take part: the mean has less of it than with any shares', () => {
    const of = (mechanism: Mechanism) => asked({ privacy: { ...PRIVACY, mechanism } })
    expect(plan).toMatchObject({ ...noiseOf(of('local-discrete-gaussian')), mechanism: CENTRAL_MECHANISM })
    const over = (mechanism: Mechanism, members: number) => noiseOverClip(of(mechanism), 6000, members) ?? 0
    expect(over('local-discrete-gaussian', 100) / over(CENTRAL_MECHANISM, 100)).toBeCloseTo(10, 9)
    expect(over('distributed-skellam', 100)).toBeGreaterThan(over(CENTRAL_MECHANISM, 100))
  })

  it.each([
    ['in the clear', { protection: 'plain' }, 'takes "secagg"'],
    ['with a rule over buckets', { robust: { rule: 'median', f: 1 }, round: { participantsMin: 9 } }, 'mean only'],
    ['under a key', { protection: 'ckks', encryption: { parameters: 'a'.repeat(64), threshold: 3 } }, 'takes "secagg"'],
    ['with shares planned for', { privacy: { ...PRIVACY, invitedMin: 5 } }, 'invitedMin'],
  ])('is refused %s, with the reason', (_, changes, reason) => {
    expect(() => asked(changes)).toThrow(reason)
  })
})

describe('the guarantee of noise by the hub', () => {
  const changed = (stage: string, parameters: Record<string, number | string>) =>
    stages.map(
      (record): StageRecord =>
        record.stage === stage ? { ...record, parameters: { ...record.parameters, ...parameters } } : record,
    )

  it('follows from the records and names the hub as whom it does not hold against', () => {
    expect(privacyStatement(stages, 5)).toMatchObject({
      ...{ unit: 'organisation', rounds: 5, against: 'everybody but the hub, which adds the noise' },
      epsilon: expect.closeTo(4, 1) as number,
    })
    expect(guaranteeOf(stages, 5)?.epsilon).toBeLessThanOrEqual(4 + 1e-4)
    expect(guaranteeOf(changed('noise', { deviation: plan.deviation / 2 }), 5)?.epsilon).toBeGreaterThan(8)
  })

  it('is none where there was no sum, and where nothing was added to it', () => {
    expect(guaranteeOf(expectedStages(config), 5)).toBeNull()
    const silent = maskedStages(withAddedNoise(expectedStages(config), undefined), facts)
    expect(privacyStatement(silent, 5)).toMatchObject({ epsilon: null })
  })

  it.each([
    ['a sum on another grid than the noise', 'quantise', { levels: 77 }],
    ['a sum in which somebody weighed more', 'quantise', { weight_max: 2 }],
    ['a mechanism that nobody knows', 'noise', { mechanism: 'trust-me' }],
  ] as const)('is refused for %s', (_, stage, parameters) => {
    expect(() => guaranteeOf(changed(stage, parameters), 5)).toThrow(
      expect.objectContaining({ code: 'invalid-request' }),
    )
  })
})

describe('an organisation that is asked to rely on the hub for the noise', () => {
  const machineFor = (mechanisms: readonly Mechanism[]) =>
    participantMachine({ organisation: organisation('org-a'), accepts: ['secagg'], mechanisms, requirePrivacy: true })
  it('declines before any work unless its own configuration allows it', () => {
    const careful = machineFor(UNTRUSTING_MECHANISMS)
    const { state, effects } = careful.step(careful.initial(`participant/${ROUND}`), announcementOf(config))
    expect(state.phase).toBe('abandoned')
    expect(effects).toMatchObject([{ type: 'decline', reason: expect.stringContaining(CENTRAL_MECHANISM) as string }])
    const trusting = machineFor([CENTRAL_MECHANISM])
    expect(trusting.step(trusting.initial(`participant/${ROUND}`), announcementOf(config)).state.phase).toBe('training')
  })

  it('signs the block of a hub that says what it added, and none of one that added nothing or less', () => {
    const after = (noise: MaskedSum['noise']) =>
      afterProposal(machineFor(MECHANISMS), config, proposedBlock(config, noise === undefined ? {} : { noise }))
    expect(after(added).phase).toBe('signing')
    const refused = { refusals: [{ reason: 'other-privacy-params' }] }
    expect(after(undefined)).toMatchObject(refused)
    expect(after({ ...added, deviation: plan.deviation - 1 })).toMatchObject(refused)
  })
})
