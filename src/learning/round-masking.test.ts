import { describe, expect, it } from 'vitest'
import { EntenteError } from '../base/errors.ts'
import type { OrganisationId } from '../base/ids.ts'
import { blockHash, proposeBlock } from '../ledger/block.ts'
import { survivorsDigest } from '../privacy/masking/client-checks.ts'
import { roundBlockContent } from './block-content.ts'
import {
  AGGREGATED,
  configOf,
  contributionOf,
  digestFor,
  MASKED_SUM,
  modelReader,
  OPENED_AT,
  opening,
  organisation,
  participants,
  ROUND,
} from './learning.suite.ts'
import { meanReader } from './masked-mean.ts'
import { canHide, maskedStages, maskingContext, roundOfMasking } from './masking-config.ts'
import { participantMachine } from './participant.ts'
import type { ParticipantEvent, ParticipantState } from './participant-state.ts'
import { roundMachine } from './round.ts'
import type { OpenedRound, RoundEffect, RoundEvent, RoundState } from './round-state.ts'
import { expectedStages } from './stages.ts'
import { MECHANISMS } from './mechanisms.ts'

const config = configOf({ protection: 'secagg', round: { participantsMin: 3, deadlineMs: 1_000 } })
const DEADLINE = OPENED_AT + 1_000
const unmasked: RoundEvent = { type: 'unmasked', ...MASKED_SUM, at: OPENED_AT + 20 }
const joined = (name: string): RoundEvent => ({
  type: 'joined',
  organisation: organisation(name),
  dataSources: [`${name}-log`],
  at: OPENED_AT + 5,
})

function play(...events: readonly RoundEvent[]): { state: RoundState; effects: readonly RoundEffect[] } {
  return [opening({ config }), ...events].reduce<{ state: RoundState; effects: readonly RoundEffect[] }>(
    ({ state }, event) => roundMachine.step(state, event),
    { state: roundMachine.initial(`round/${ROUND}`), effects: [] },
  )
}

const codeOf = (work: () => unknown): string => {
  try {
    work()
    return 'nothing'
  } catch (error) {
    return error instanceof EntenteError ? error.code : String(error)
  }
}

describe('a round with secure aggregation, at the hub', () => {
  it('opens the masking with everybody who is selected, and sets no timer of its own', () => {
    const { effects } = play()
    expect(effects.map(({ type }) => type)).toEqual(['announce', 'open-masking'])
    const [announce, open] = effects
    if (announce?.type !== 'announce' || open?.type !== 'open-masking') throw new Error('not these')
    expect(announce.announcement.invited).toEqual(open.invited)
    expect(open).toMatchObject({ maskingId: ROUND, deadline: DEADLINE })
  })

  it('waits for nobody, and masks nothing, once too many have declined to hide the others, and names them', () => {
    const five = opening({
      config,
      candidates: participants('org-a', 'org-b', 'org-c', 'org-d', 'org-e'),
    })
    const declines = (state: RoundState, name: string) =>
      roundMachine.step(state, { type: 'participant-left', organisation: organisation(name), at: 7 })
    const first = declines(roundMachine.step(roundMachine.initial(`round/${ROUND}`), five).state, 'org-b')
    expect(first.state.phase).toBe('announced')
    const { state, effects } = declines(first.state, 'org-d')
    expect(state).toMatchObject({ phase: 'abandoned', reason: 'too-few-participants' })
    expect(effects).toContainEqual(
      expect.objectContaining({
        event: expect.objectContaining({ type: 'round-abandoned', left: ['org-b', 'org-d'] }),
      }),
    )
  })

  it('refuses an update in the clear: the hub is to see none, from nobody', () => {
    const { state } = play()
    expect(codeOf(() => roundMachine.step(state, contributionOf('org-a')))).toBe('invalid-request')
  })

  it('shows who has joined, once, and strangers not at all', () => {
    const { state } = play(joined('org-b'), joined('org-b'), joined('org-x'), joined('org-a'))
    expect(state).toMatchObject({ joined: [{ organisation: 'org-a' }, { organisation: 'org-b' }] })
  })

  it('aggregates the sum, with the survivors for contributions and what was really done for stages', () => {
    const { state, effects } = play(joined('org-a'), unmasked)
    expect(effects).toMatchObject([{ type: 'aggregate', masked: [{ sum: MASKED_SUM.sum }] }])
    if (state.phase !== 'aggregating') throw new Error(state.phase)
    expect(state.contributions.map(({ organisation, sampleCount }) => [organisation, sampleCount])).toEqual([
      ['org-a', 10],
      ['org-b', 30],
      ['org-c', 20],
    ])
    expect(state.contributions[0]).toMatchObject({
      update: { digest: digestFor('vector-org-a'), size: 16 },
      dataSources: ['org-a-log'],
      stages: [
        { stage: 'sanitise', applied: true },
        { stage: 'clip', applied: false },
        { stage: 'quantise', applied: true, parameters: { bits: 32, levels: 2 ** 29, value_max: 8, weight_max: 30 } },
        { stage: 'noise', applied: false },
        { stage: 'mask', applied: true, parameters: { protocol: 'bonawitz-2017-malicious', members: 3, quorum: 3 } },
        { stage: 'encrypt', applied: false },
      ],
    })
  })

  it('names in its record who spoilt it, whether it ends or not, and nobody where nobody did', () => {
    const recordOf = (events: readonly RoundEvent[]) => {
      const { state } = play(...events.slice(0, -1))
      return roundMachine.step(state, events.at(-1) as RoundEvent).records?.[0]?.value
    }
    const [liar, dealer, holder] = ['org-a', 'org-b', 'org-c'].map(organisation) as [
      OrganisationId,
      OrganisationId,
      OrganisationId,
    ]
    const spoilt = { blamed: [liar], disputed: [{ dealer, holder }] }
    const ended: RoundEvent = {
      type: 'masking-ended',
      bucket: 0,
      reason: 'false-shares',
      detail: '',
      at: OPENED_AT + 20,
    }
    expect(recordOf([{ ...ended, ...spoilt }])).toMatchObject({ phase: 'abandoned', ...spoilt })
    expect(recordOf([{ ...unmasked, facts: { ...MASKED_SUM.facts, ...spoilt } }])).toMatchObject({
      phase: 'aggregating',
      ...spoilt,
    })
    for (const quiet of [ended, unmasked]) {
      expect(recordOf([quiet])).not.toHaveProperty('blamed')
      expect(recordOf([quiet])).not.toHaveProperty('disputed')
    }
  })

  it('is abandoned with the masking, and tells the masking when it is abandoned itself', () => {
    const ended = play({
      type: 'masking-ended',
      bucket: 0,
      reason: 'too-few-vectors',
      detail: '2 of 3',
      at: OPENED_AT + 9,
    })
    expect(ended.state).toMatchObject({
      phase: 'abandoned',
      reason: 'masking-failed',
      detail: 'too-few-vectors: 2 of 3',
    })
    const { effects } = play({ type: 'round-cancelled', at: OPENED_AT + 9 })
    const told = { type: 'dispatch', stream: `unmasking/${ROUND}`, event: { type: 'cancelled', at: OPENED_AT + 9 } }
    expect(effects).toContainEqual(told)
  })

  it('tells the masking who leaves, as long as enough are left', () => {
    const four = opening({
      config,
      candidates: [...opening().candidates, { organisation: organisation('org-d'), publicKey: 'd' }],
    })
    const { state } = roundMachine.step(roundMachine.initial(`round/${ROUND}`), four)
    const left: RoundEvent = { type: 'participant-left', organisation: organisation('org-c'), at: 7 }
    const { effects } = roundMachine.step(state, left)
    expect(effects).toEqual([
      { type: 'dispatch', stream: `unmasking/${ROUND}`, event: { type: 'gone', organisation: 'org-c', at: 7 } },
    ])
  })
})

describe('a round with secure aggregation, at an organisation', () => {
  const machine = participantMachine({
    organisation: organisation('org-a'),
    accepts: ['secagg'],
    mechanisms: MECHANISMS,
    requirePrivacy: false,
  })
  const announcement = {
    ...{ round_id: ROUND, training_id: opening().trainingId, round: 1, base_model: digestFor('base'), config },
    deadline: DEADLINE,
    invited: opening().candidates.map((one) => ({ ...one })),
  }
  const stages = maskedStages(expectedStages(config), MASKED_SUM.facts)
  const masked: ParticipantEvent = {
    type: 'masked',
    update: { digest: digestFor('vector-org-a'), size: 16 },
    sampleCount: 10,
    stages,
    survivors: survivorsDigest(MASKED_SUM.facts.survivors),
    at: OPENED_AT + 10,
  }
  const events: ParticipantEvent[] = [
    { type: 'announced', announcement, at: OPENED_AT + 1 },
    {
      ...{ type: 'trained', update: { digest: digestFor('clear'), size: 99 }, sampleCount: 10 },
      ...{ stages: expectedStages(config), metrics: { loss: 1 }, dataSources: ['zeek-tsv'], at: OPENED_AT + 2 },
    },
    masked,
  ]
  const after = (...some: readonly ParticipantEvent[]): ParticipantState =>
    some.reduce((state, event) => machine.step(state, event).state, machine.initial(`participant/${ROUND}`))

  const blockOf = (sum = MASKED_SUM) => {
    const { state } = play(joined('org-a'), { type: 'unmasked', ...sum, at: 0 })
    const content = roundBlockContent(state as OpenedRound, AGGREGATED)
    const block = proposeBlock(content, undefined, OPENED_AT + 20)
    return { ...block, hash: blockHash(block) }
  }
  const propose = (block: unknown): ParticipantEvent => ({ type: 'proposal', id: ROUND, block, at: OPENED_AT + 30 })

  it('keeps what it trained, and asks only for masking', () => {
    const { state, effects } = machine.step(after(...events.slice(0, 1)), events[1] as ParticipantEvent)
    expect(state.phase).toBe('masking')
    expect(effects).toMatchObject([
      { type: 'open-masking', sampleCount: 10, rounding: 'entente/local/1/org-a/rounding' },
    ])
    expect(JSON.stringify(effects)).not.toContain(digestFor('clear'))
  })

  it('signs the block that names the survivors which it signed', () => {
    expect(after(...events, propose(blockOf())).phase).toBe('signing')
  })

  it('does not sign a block with another vector, another list, or another privacy than it knows of', () => {
    const others = MASKED_SUM.facts.survivors.filter(({ organisation: name }) => name !== 'org-b')
    const fewer = { ...MASKED_SUM, facts: { ...MASKED_SUM.facts, survivors: others } }
    expect(after(...events, propose(blockOf()))).toMatchObject({ phase: 'signing' })
    const relaxed = { ...MASKED_SUM, facts: { ...MASKED_SUM.facts, threshold: 2 } }
    expect(after(...events, propose(blockOf(relaxed)))).toMatchObject({
      refusals: [{ reason: 'other-privacy-params' }],
    })
    const swapped = MASKED_SUM.facts.survivors.map((one) =>
      one.organisation === 'org-b' ? { ...one, vector: digestFor('other') } : one,
    )
    const other = { ...MASKED_SUM, facts: { ...MASKED_SUM.facts, survivors: swapped } }
    expect(after(...events, propose(blockOf(other)))).toMatchObject({ refusals: [{ reason: 'other-participants' }] })
    expect(codeOf(() => blockOf(fewer))).toContain('nothing')
  })

  it('wipes the masking, and what was stored, when the round ends before its sum', () => {
    const { effects } = machine.step(after(...events.slice(0, 2)), { type: 'abandoned', reason: 'cancelled', at: 0 })
    expect(effects).toEqual([
      { type: 'forget-blobs', roundId: ROUND },
      { type: 'close-masking', maskingId: ROUND, protection: 'secagg', reason: 'cancelled' },
    ])
  })
})

describe('the context of a round of secure aggregation', () => {
  const where = {
    federation: 'f.example' as never,
    task: digestFor('task'),
    round: ROUND,
    invited: [...opening().candidates].reverse(),
    length: 4,
  }
  const within = (normMax: number | null) => ({ normMax, grid: null })

  it('is the same from the same knowledge, in whatever order, and as fine as the norm allows', () => {
    expect(maskingContext(config, where, within(null))).toEqual(
      maskingContext(config, { ...where, invited: opening().candidates }, within(100)),
    )
    expect(maskingContext(config, where, within(0.5))).toMatchObject({
      clip: 0.5,
      weightMax: config.local.rowsMax,
    })
    expect(maskingContext(config, where, within(null)).clip).toBe(8)
  })

  it.each([
    [3, 3, true],
    [3, 2, false],
    [5, 4, true],
    [5, 3, false],
    [10, 7, true],
  ])('of %i who are invited, %i can hide: %s', (invited, present, can) => {
    expect(canHide(invited, present, config.masking)).toBe(can)
  })

  it.each([
    ['fewer than three', { round: { participantsMin: 2 } }],
    ['a rule with too few buckets to look at', { round: { participantsMin: 8 }, robust: { rule: 'median' } }],
    ['a weaker bound on the corrupt', { round: { participantsMin: 3 }, masking: { corruptShare: 0.1 } }],
  ])('is refused for %s', (_, changes) => {
    expect(codeOf(() => configOf({ protection: 'secagg', ...changes }))).toBe('invalid-request')
  })
})

describe('a robust rule under secure aggregation', () => {
  const NAMES = 'abcdefghi'.split('').map((letter) => `org-${letter}`)
  const robust = configOf({ protection: 'secagg', robust: { rule: 'median' }, round: { participantsMin: 9 } })
  const nine = opening({ config: robust, candidates: participants(...NAMES) })
  const begun = roundMachine.step(roundMachine.initial(`round/${ROUND}`), nine)
  const opened = begun.effects.flatMap((effect) => (effect.type === 'open-masking' ? [effect] : []))
  const sumOf = (bucket: number): RoundEvent => ({
    ...MASKED_SUM,
    type: 'unmasked',
    bucket,
    sum: digestFor(`sum ${bucket}`),
    facts: {
      ...MASKED_SUM.facts,
      survivors: (opened[bucket]?.invited ?? []).map(({ organisation: name }, i) => ({
        organisation: name,
        weight: i + 1,
        vector: digestFor(`vector-${name}`),
      })),
    },
    at: 1,
  })
  const after = (...events: readonly RoundEvent[]) =>
    events.reduce((step, event) => roundMachine.step(step.state, event), begun)

  it('opens a masking for each bucket of three, and everybody is in one', () => {
    expect(opened.map(({ maskingId }) => maskingId)).toEqual([`${ROUND}-b0`, `${ROUND}-b1`, `${ROUND}-b2`])
    expect(opened.map(({ invited }) => invited.length)).toEqual([3, 3, 3])
    expect(opened.flatMap(({ invited }) => invited.map((one) => one.organisation)).toSorted()).toEqual(NAMES)
    expect(roundOfMasking(`${ROUND}-b2`)).toEqual({ round: ROUND, bucket: 2 })
    expect(roundOfMasking(ROUND)).toEqual({ round: ROUND, bucket: 0 })
  })

  it('waits for every bucket, takes each sum once, and hands them all to the rule', () => {
    const two = after(sumOf(1), sumOf(0), sumOf(0))
    expect(two.state.phase).toBe('collecting')
    expect(two.effects).toEqual([])
    const { effects, state } = after(sumOf(1), sumOf(0), sumOf(2))
    expect(effects).toMatchObject([{ type: 'aggregate', masked: [{ bucket: 0 }, { bucket: 1 }, { bucket: 2 }] }])
    if (state.phase !== 'aggregating') throw new Error(state.phase)
    expect(state.contributions.map((one) => one.organisation)).toEqual(NAMES)
    expect(state.contributions[0]?.stages?.find(({ stage }) => stage === 'mask')).toMatchObject({
      parameters: { protocol: 'buckets', buckets: 3, bucket_min: 3 },
    })
  })

  it('is abandoned when fewer buckets are left than the rule needs', () => {
    const lost: RoundEvent = { type: 'masking-ended', bucket: 2, reason: 'too-few-keys', detail: '', at: 1 }
    expect(after(lost, sumOf(0)).state.phase).toBe('collecting')
    expect(after(lost, sumOf(0), sumOf(1)).state).toMatchObject({ phase: 'abandoned', reason: 'masking-failed' })
  })

  it('tells only the own bucket who leaves', () => {
    const ten = opening({ config: robust, candidates: participants(...NAMES, 'org-j') })
    const { state } = roundMachine.step(roundMachine.initial(`round/${ROUND}`), ten)
    const left: RoundEvent = { type: 'participant-left', organisation: organisation('org-j'), at: 7 }
    const { effects } = roundMachine.step(state, left)
    expect(effects).toHaveLength(1)
    expect(effects[0]).toMatchObject({ event: { type: 'gone', organisation: 'org-j' } })
  })

  it('is computed by each participant from its announcement: it hides in its bucket and vouches for it', () => {
    const self = opened[1]?.invited[0]?.organisation ?? expect.fail('nobody')
    const machine = participantMachine({
      organisation: self,
      accepts: ['secagg'],
      mechanisms: MECHANISMS,
      requirePrivacy: false,
    })
    const announced = begun.effects.find((effect) => effect.type === 'announce')
    const announcement = announced?.type === 'announce' ? announced.announcement : expect.fail('not announced')
    const sum = sumOf(1)
    const { facts } = sum.type === 'unmasked' ? sum : expect.fail('no sum')
    if ('scheme' in facts) expect.fail('encrypted')
    const stages = maskedStages(expectedStages(robust), facts, 3)
    const events: ParticipantEvent[] = [
      { type: 'announced', announcement, at: 1 },
      {
        ...{ type: 'trained', update: { digest: digestFor('clear'), size: 9 }, sampleCount: 1, metrics: {} },
        ...{ stages: expectedStages(robust), dataSources: [], at: 2 },
      },
      {
        ...{ type: 'masked', update: { digest: digestFor(`vector-${self}`), size: 16 }, sampleCount: 1, stages },
        ...{ survivors: survivorsDigest(facts.survivors), at: 3 },
      },
    ]
    const effects = events.map(
      (
        (state) => (event: ParticipantEvent) =>
          (state = machine.step(state.state, event)).effects
      )({ state: machine.initial(`participant/${ROUND}`), effects: [] } as ReturnType<typeof machine.step>),
    )
    expect(effects[1]).toMatchObject([{ type: 'open-masking', maskingId: `${ROUND}-b1` }])
    const state = events.reduce((now, event) => machine.step(now, event).state, machine.initial(`participant/${ROUND}`))
    const { state: round } = after(sumOf(0), sumOf(1), sumOf(2))
    const content = roundBlockContent(round as OpenedRound, AGGREGATED)
    const block = proposeBlock(content, undefined, OPENED_AT + 20)
    const proposal: ParticipantEvent = { type: 'proposal', id: ROUND, block, at: OPENED_AT + 30 }
    expect(machine.step(state, proposal).state.phase).toBe('signing')
  })
})

describe('means of buckets as a rule reads them', () => {
  it('are the means of the sums, value by value, from any place', async () => {
    const scale = { width: 32, levels: 1000, clip: 1, weightMax: 4 } as const
    const words = new Uint8Array(Int32Array.of(500, -250, 1000, 0).buffer)
    const read = async (offset: number, into: Uint8Array) => into.set(words.subarray(offset, offset + into.length))
    const { header } = await modelReader([0, 0, 0, 0])
    const reader = meanReader({ scale, totalWeight: 2, read }, header)
    const into = new Uint8Array(8)
    await reader.read(header.dataOffset + 4, into)
    expect([...new Float32Array(into.buffer)]).toEqual([-0.5, 2])
    await expect(reader.read(header.dataOffset + 1, into)).rejects.toThrow('value by value')
  })
})
