import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EntenteError, type ErrorCode } from '../base/errors.ts'
import { type Block, blockHash, proposeBlock, signBlock } from '../ledger/block.ts'
import { roundBlockContent } from './block-content.ts'
import { parseTrainingConfig, type TrainingConfig } from './config.ts'
import {
  configOf,
  contributionOf,
  digestFor,
  OPENED_AT,
  opening,
  organisation,
  ROUND,
  secretOf,
  TRAINING,
} from './learning.suite.ts'
import { HIDING_PROTECTIONS, PROTECTIONS } from './masking-config.ts'
import type { RoundAnnouncement } from './messages.ts'
import { participantMachine } from './participant.ts'
import type { ParticipantEffect, ParticipantEvent, ParticipantState } from './participant-state.ts'
import { roundMachine } from './round.ts'
import type { OpenedRound } from './round-state.ts'
import { MECHANISMS } from './mechanisms.ts'

const machine = participantMachine({
  organisation: organisation('org-a'),
  accepts: PROTECTIONS,
  mechanisms: MECHANISMS,
  requirePrivacy: false,
})
const opened = opening()
const DEADLINE = OPENED_AT + 1_000
const GIVES_UP = DEADLINE + 1_000 + 60_000

const announcement: RoundAnnouncement = {
  round_id: ROUND,
  training_id: TRAINING,
  round: 1,
  base_model: digestFor('base'),
  config: opened.config,
  deadline: DEADLINE,
}
const sent = contributionOf('org-a')
const trained: ParticipantEvent = {
  type: 'trained',
  update: sent.update,
  sampleCount: 100,
  stages: sent.stages,
  metrics: { loss: 0.5 },
  dataSources: ['zeek-tsv'],
  at: OPENED_AT + 5,
}

/** The block that an honest hub proposes for the contributions of org-a and org-b. */
function honestBlock(): Block {
  let state = roundMachine.initial(`round/${ROUND}`)
  for (const event of [opened, sent, contributionOf('org-b')]) state = roundMachine.step(state, event).state
  const result = {
    model: digestFor('model'),
    strategyState: null,
    normDifference: 1,
    gradientNorm: 1,
    convergence: 1,
    durationMs: 1,
  }
  return proposeBlock(roundBlockContent(state as OpenedRound, result), undefined, OPENED_AT + 20)
}

/** The block with a lie in it, hashed again as a lying hub would. */
function lying(lie: (block: Block) => object): Block {
  const block: Block = { ...honestBlock(), ...lie(honestBlock()) }
  return { ...block, hash: blockHash(block) }
}

const proposal = (block: unknown = honestBlock(), at = OPENED_AT + 30): ParticipantEvent => ({
  type: 'proposal',
  id: ROUND,
  block,
  at,
})

function play(...events: readonly ParticipantEvent[]): { state: ParticipantState; effects: ParticipantEffect[] } {
  const effects: ParticipantEffect[] = []
  let state = machine.initial(`participant/${ROUND}`)
  for (const event of events) {
    const step = machine.step(state, event)
    effects.push(...step.effects)
    state = step.state
  }
  return { state, effects }
}

const announced: ParticipantEvent = { type: 'announced', announcement, at: OPENED_AT + 1 }
const contributed: ParticipantEvent = { type: 'contributed', at: OPENED_AT + 6 }
const maskedAnnounced: ParticipantEvent = {
  ...announced,
  announcement: {
    ...announcement,
    config: configOf({ protection: 'secagg', round: { participantsMin: 3 } }),
    invited: opened.candidates.map((one) => ({ ...one })),
  },
}
const masked: ParticipantEvent = {
  type: 'masked',
  update: { digest: digestFor('vector'), size: 8 },
  sampleCount: 100,
  stages: sent.stages,
  survivors: digestFor('survivors'),
  at: OPENED_AT + 6,
}
const events: Record<ParticipantEvent['type'], ParticipantEvent> = {
  announced,
  trained,
  'training-failed': { type: 'training-failed', code: 'no-data', message: 'no labels', at: OPENED_AT + 5 },
  contributed,
  'contribution-refused': { type: 'contribution-refused', code: 'round-closed', message: 'late', at: OPENED_AT + 6 },
  proposal: proposal(),
  'block-signed': { type: 'block-signed', at: OPENED_AT + 31 },
  abandoned: { type: 'abandoned', reason: 'cancelled', at: OPENED_AT + 7 },
  'deadline-passed': { type: 'deadline-passed', at: DEADLINE },
  'gave-up': { type: 'gave-up', at: GIVES_UP },
  masked,
  'masking-failed': { type: 'masking-failed', code: 'sample-count-invalid', message: 'too many', at: OPENED_AT + 6 },
}

type Phase = ParticipantState['phase']
const ways: Record<Phase, readonly ParticipantEvent[]> = {
  idle: [],
  training: [announced],
  masking: [maskedAnnounced, trained],
  contributing: [announced, trained],
  contributed: [announced, trained, contributed],
  signing: [announced, trained, contributed, proposal()],
  signed: [announced, trained, contributed, proposal(), events['block-signed']],
  abandoned: [announced, events.abandoned],
}

const unknown = 'unknown-round'
/** As in round.test.ts: phase, `=` for no change, `~` for a change within the phase, or the code of the refusal. */
const table: Record<Phase, Record<ParticipantEvent['type'], string>> = {
  idle: {
    announced: 'training',
    trained: unknown,
    'training-failed': unknown,
    contributed: unknown,
    'contribution-refused': unknown,
    proposal: unknown,
    'block-signed': unknown,
    abandoned: 'abandoned',
    'deadline-passed': unknown,
    'gave-up': unknown,
    masked: unknown,
    'masking-failed': unknown,
  },
  training: {
    announced: '=',
    trained: 'contributing',
    'training-failed': 'abandoned',
    contributed: 'invalid-request',
    'contribution-refused': 'invalid-request',
    proposal: '~',
    'block-signed': 'invalid-request',
    abandoned: 'abandoned',
    'deadline-passed': 'abandoned',
    'gave-up': '=',
    masked: 'invalid-request',
    'masking-failed': 'invalid-request',
  },
  masking: {
    announced: '=',
    trained: '=',
    'training-failed': '=',
    contributed: 'invalid-request',
    'contribution-refused': 'invalid-request',
    proposal: '~',
    'block-signed': 'invalid-request',
    abandoned: 'abandoned',
    'deadline-passed': '=',
    'gave-up': 'abandoned',
    masked: 'contributed',
    'masking-failed': 'abandoned',
  },
  contributing: {
    announced: '=',
    trained: '=',
    'training-failed': '=',
    contributed: 'contributed',
    'contribution-refused': 'abandoned',
    proposal: 'signing',
    'block-signed': 'invalid-request',
    abandoned: 'abandoned',
    'deadline-passed': '=',
    'gave-up': 'abandoned',
    masked: '=',
    'masking-failed': '=',
  },
  contributed: {
    announced: '=',
    trained: '=',
    'training-failed': '=',
    contributed: '=',
    'contribution-refused': '=',
    proposal: 'signing',
    'block-signed': 'invalid-request',
    abandoned: 'abandoned',
    'deadline-passed': '=',
    'gave-up': 'abandoned',
    masked: '=',
    'masking-failed': '=',
  },
  signing: {
    announced: '=',
    trained: '=',
    'training-failed': '=',
    contributed: '=',
    'contribution-refused': '=',
    proposal: '=',
    'block-signed': 'signed',
    abandoned: '=',
    'deadline-passed': '=',
    'gave-up': '=',
    masked: '=',
    'masking-failed': '=',
  },
  signed: {
    announced: '=',
    trained: '=',
    'training-failed': '=',
    contributed: '=',
    'contribution-refused': '=',
    proposal: 'signing',
    'block-signed': '=',
    abandoned: '=',
    'deadline-passed': '=',
    'gave-up': '=',
    masked: '=',
    'masking-failed': '=',
  },
  abandoned: {
    announced: '=',
    trained: '=',
    'training-failed': '=',
    contributed: '=',
    'contribution-refused': '=',
    proposal: '=',
    'block-signed': '=',
    abandoned: '=',
    'deadline-passed': '=',
    'gave-up': '=',
    masked: '=',
    'masking-failed': '=',
  },
}

const attempt = (state: ParticipantState, event: ParticipantEvent): ErrorCode | ParticipantState => {
  try {
    return machine.step(state, event).state
  } catch (error) {
    if (error instanceof EntenteError) return error.code
    throw error
  }
}

describe('every event in every phase', () => {
  for (const phase of Object.keys(ways) as Phase[])
    it.each(Object.keys(events) as ParticipantEvent['type'][])(`${phase}: %s does what the table says`, (type) => {
      const { state } = play(...ways[phase])
      expect(state.phase).toBe(phase)
      const outcome = attempt(state, events[type])
      if (typeof outcome === 'string') expect(outcome).toBe(table[phase][type])
      else if (JSON.stringify(outcome) === JSON.stringify(state)) expect('=').toBe(table[phase][type])
      else expect(outcome.phase === phase ? '~' : outcome.phase).toBe(table[phase][type])
    })
})

describe('taking part', () => {
  it('trains with a seed that differs by round and organisation but not by run', () => {
    const { effects } = play(announced)
    expect(effects[0]).toMatchObject({ type: 'train', baseModel: digestFor('base'), seed: 'entente/local/1/org-a' })
  })

  it('declines a round in the clear unless its owner allows that, whatever the hub asks for', () => {
    const careful = participantMachine({
      organisation: organisation('org-a'),
      accepts: HIDING_PROTECTIONS,
      mechanisms: MECHANISMS,
      requirePrivacy: false,
    })
    const step = (event: ParticipantEvent) => careful.step(careful.initial(`participant/${ROUND}`), event)
    expect(step(announced)).toMatchObject({ state: { phase: 'abandoned' }, effects: [{ type: 'decline' }] })
    expect(step(maskedAnnounced).state.phase).toBe('training')
  })

  it('declines a training without differential privacy unless its owner allows that: a budget bounds only what says what it takes', () => {
    const self = { organisation: organisation('org-a'), accepts: PROTECTIONS, mechanisms: MECHANISMS }
    const careful = participantMachine({ ...self, requirePrivacy: true })
    const after = (config: TrainingConfig) =>
      careful.step(careful.initial(`participant/${ROUND}`), {
        ...{ type: 'announced', announcement: { ...announcement, config }, at: OPENED_AT + 1 },
      })
    expect(after(configOf({ privacy: null }))).toMatchObject({
      state: { phase: 'abandoned' },
      effects: [{ type: 'decline', reason: expect.stringContaining('without differential privacy') as string }],
    })
    expect(after(configOf({ privacy: { unit: 'example', epsilon: 4 } })).state.phase).toBe('training')
    // A response policy learns from a game.
    const policy = { kind: 'policy', observations: 4, actions: 2, hidden: [4] } as const
    expect(after(parseTrainingConfig({ protection: 'plain', privacy: null }, policy as never)).state.phase).toBe(
      'training',
    )
  })

  it('declines rounds of trainings for a purpose that its owner does not name; unnamed, a training is for "training"', () => {
    const phaseFor = (purpose: string | undefined, purposes?: readonly string[]): string => {
      const served = purposes === undefined ? {} : { purposes }
      const careful = participantMachine({
        organisation: organisation('org-a'),
        accepts: PROTECTIONS,
        mechanisms: MECHANISMS,
        requirePrivacy: false,
        ...served,
      })
      const config = { ...announcement.config, ...(purpose === undefined ? {} : { purpose }) }
      const event = { ...announced, announcement: { ...announcement, config } } as ParticipantEvent
      const { state, effects } = careful.step(careful.initial(`participant/${ROUND}`), event)
      if (state.phase === 'abandoned')
        expect(effects.at(-1)).toMatchObject({
          type: 'decline',
          reason: expect.stringContaining(`"${purpose}"`) as string,
        })
      return state.phase
    }
    expect(phaseFor('tuning', ['training'])).toBe('abandoned')
    expect(phaseFor('tuning', ['training', 'tuning'])).toBe('training')
    expect(phaseFor('tuning')).toBe('training')
    expect(phaseFor(undefined, ['training'])).toBe('training')
    expect(phaseFor('training', ['training'])).toBe('training')
  })

  it('signs no block that says another purpose than the one its budget paid for', () => {
    const asked = { ...announcement, config: { ...announcement.config, purpose: 'tuning' } }
    const { state } = play({ ...announced, announcement: asked } as ParticipantEvent, trained, contributed, proposal())
    expect(state).toMatchObject({ phase: 'contributed', refusals: [{ reason: 'other-config' }] })
  })

  it('contributes what it trained, in the form that travels', () => {
    expect(play(announced, trained).effects.at(-1)).toEqual({
      type: 'contribute',
      roundId: ROUND,
      body: {
        round_id: ROUND,
        org_id: 'org-a',
        encrypted_gradient: {
          blob: sent.update,
          base_model: digestFor('base'),
          sample_count: 100,
          stages: sent.stages,
          metrics: { loss: 0.5 },
          data_sources: ['zeek-tsv'],
        },
      },
    })
  })

  it('signs the block that names what it sent, and again if the proposal comes again', () => {
    const { state, effects } = play(...ways.signed, proposal())
    expect(effects.filter((effect) => effect.type === 'sign-block')).toHaveLength(2)
    expect(state).toMatchObject({ phase: 'signing', block: { height: 0, hash: honestBlock().hash } })
    expect(() => signBlock(honestBlock(), secretOf('org-a'))).not.toThrow()
  })

  it('signs while the acknowledgement is still under way: the hub may have counted the contribution', () => {
    expect(play(announced, trained, events['deadline-passed'], proposal()).state.phase).toBe('signing')
  })

  it.each<[string, readonly ParticipantEvent[]]>([
    ['is abandoned before it trained', [announced, events.abandoned]],
    ['is abandoned after it contributed', [...ways.contributed, events.abandoned]],
    ['is abandoned while it masks', [maskedAnnounced, trained, events.abandoned]],
    ['comes to no block by its own clock', [...ways.contributed, events['gave-up']]],
    ['was signed for, and is abandoned', [...ways.signed, events.abandoned]],
    ['was signed for, and its time is over', [...ways.signed, events['gave-up']]],
  ])('forgets what a round stored that %s', (_name, way) => {
    const { effects } = play(...way)
    expect(effects.filter(({ type }) => type === 'forget-blobs')).toEqual([{ type: 'forget-blobs', roundId: ROUND }])
  })

  it('without data declines, so that the hub need not wait', () => {
    const { state, effects } = play(announced, events['training-failed'])
    expect(state.phase).toBe('abandoned')
    expect(effects.at(-1)).toEqual({ type: 'decline', roundId: ROUND, reason: 'no-data' })
  })

  it('over budget tells the hub no digit of limit and use, and keeps both for its owner', () => {
    const message = 'the privacy budget is epsilon 7.25 at delta 1e-5; with this it would be 9.5'
    const over = { type: 'training-failed', code: 'budget-exceeded', message, at: OPENED_AT + 5 } as const
    const { state, effects } = play(announced, over)
    const { reason } = effects.find(({ type }) => type === 'decline') as { reason: string }
    expect(reason).toBe('budget-exceeded')
    expect(reason).not.toMatch(/\d/)
    expect(state).toMatchObject({ reason: `budget-exceeded: ${message}` })
  })

  it('does not train for a deadline that has passed, nor for a round whose end came first', () => {
    const late = play({ ...announced, at: DEADLINE } as ParticipantEvent)
    expect(late.effects.map(({ type }) => type)).not.toContain('train')
    const ended = play(events.abandoned, announced)
    expect(ended.state.phase).toBe('abandoned')
    expect(ended.effects.map(({ type }) => type)).not.toContain('train')
  })

  it('refuses an announcement of another round in its stream', () => {
    const other = { ...announced, announcement: { ...announcement, round_id: 't1-2' } } as ParticipantEvent
    expect(attempt(play().state, other)).toBe('invalid-request')
    expect(attempt(play(announced).state, other)).toBe('invalid-request')
  })
})

describe('a lying hub gets no signature', () => {
  const provenance = (changes: object) => (block: Block) => ({ provenance: { ...block.provenance, ...changes } })
  const metrics = (changes: object) => (block: Block) => ({
    aggregation_metrics: { ...block.aggregation_metrics, ...changes },
  })
  const own = (changes: object) => (block: Block) => ({
    provenance: {
      ...block.provenance,
      participants: block.provenance.participants.map((line) =>
        line.org_id === 'org-a' ? { ...line, ...changes } : line,
      ),
    },
  })

  it.each<[string, string, (block: Block) => object]>([
    ['that names another contribution for it', 'other-contribution', own({ contribution: digestFor('forged') })],
    ['that names another sample count for it', 'other-sample-count', own({ sample_count: 101 })],
    ['that leaves it out', 'not-listed', own({ org_id: 'org-z' })],
    [
      'that lists it twice',
      'not-listed',
      (block) =>
        provenance({ participants: [...block.provenance.participants, ...block.provenance.participants] })(block),
    ],
    ['of another round id', 'other-round', provenance({ round_id: 't1-2' })],
    ['of another training', 'other-round', provenance({ training_id: 't2' })],
    ['of another round number', 'other-round', metrics({ round: 2 })],
    ['of another model version', 'other-round', provenance({ model_version: 'v1.9-round-9' })],
    ['of another parent model', 'other-base-model', provenance({ parent_model: digestFor('other') })],
    ['of another configuration', 'other-config', provenance({ training_config: configOf({ clipNorm: 1 }) })],
    ['that claims a privacy budget', 'other-privacy-params', provenance({ privacy_params: { epsilon: 1 } })],
    ['that flags a position where nobody is', 'other-report', metrics({ robust_flagged: [2] })],
    ['that flags a position before the first', 'other-report', metrics({ robust_against: [-1] })],
    ['that flags somebody twice', 'other-report', metrics({ robust_left_out: [0, 0] })],
    ['that flags no position at all', 'other-report', metrics({ robust_flagged: ['org-b'] })],
    ['that flags a bucket where there is none', 'other-report', metrics({ bucket_flagged: [0] })],
    ['that has somebody in two buckets', 'other-report', metrics({ buckets: [[0, 1], [1]] })],
    [
      'of a rule that the training does not have',
      'other-report',
      metrics({ robust_rule: 'krum', robust_flagged: [1] }),
    ],
  ])('for a block %s', (_name, reason, lie) => {
    const block = lying(lie)
    const step = machine.step(play(...ways.contributed).state, proposal(block))
    expect(step.effects).toEqual([])
    expect(step.state).toMatchObject({ phase: 'contributed', refusals: [{ hash: block.hash, reason }] })
    expect(step.records).toEqual([
      {
        collection: 'refused-proposal',
        key: `${ROUND}/${block.hash}`,
        value: { id: ROUND, hash: block.hash, reason, at: OPENED_AT + 30 },
      },
    ])
  })

  it.each<[string, string, unknown]>([
    ['whose hash is of something else', 'hash-wrong', { ...honestBlock(), hash: digestFor('x') }],
    ['that is no block', 'malformed', { height: 'one' }],
    ['that is null', 'malformed', null],
  ])('for a block %s', (_name, reason, block) => {
    expect(machine.step(play(...ways.contributed).state, proposal(block))).toMatchObject({
      effects: [],
      state: { refusals: [{ reason }] },
    })
  })

  it('for a block that nests very deep, and the participant lives on', () => {
    let config: object = {}
    for (let depth = 0; depth < 20_000; depth++) config = { config }
    const { state, effects } = machine.step(
      play(...ways.contributed).state,
      proposal(lying(provenance({ training_config: config }))),
    )
    expect(effects).toEqual([])
    expect(state).toMatchObject({ phase: 'contributed', refusals: [{ reason: 'other-config' }] })
  })

  it('for a second, different block of the same round, even a truthful one', () => {
    const second = lying(() => ({ model_hash: digestFor('other model') }))
    for (const way of [ways.signing, ways.signed])
      expect(machine.step(play(...way).state, proposal(second))).toMatchObject({
        effects: [],
        state: { refusals: [{ reason: 'second-block' }] },
      })
  })

  it('before it has sent anything, or after it gave up by its own clock', () => {
    expect(machine.step(play(announced).state, proposal())).toMatchObject({
      effects: [],
      state: { refusals: [{ reason: 'nothing-sent' }] },
    })
    const late = proposal(honestBlock(), GIVES_UP)
    expect(machine.step(play(...ways.contributed).state, late)).toMatchObject({
      effects: [],
      state: { refusals: [{ reason: 'too-late' }] },
    })
  })

  it('and its state does not grow with the lies', () => {
    let { state } = play(...ways.contributed)
    for (let i = 0; i < 50; i++) state = machine.step(state, proposal({ i })).state
    expect(state).toMatchObject({ refusals: { length: 8 } })
  })
})

describe('replay', () => {
  it('the accepted events replay to the same state, which survives JSON; at most one block is ever signed', () => {
    const lies = [proposal(lying(() => ({ model_hash: digestFor('other') }))), proposal(null)]
    const anyEvent = fc.constantFrom(...Object.values(events), ...lies)
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 25 }), (tried) => {
        const log: ParticipantEvent[] = []
        const signed = new Set<string>()
        let state = machine.initial(`participant/${ROUND}`)
        for (const event of [announced, ...tried]) {
          if (typeof attempt(state, event) === 'string') continue
          const step = machine.step(state, event)
          for (const effect of step.effects) if (effect.type === 'sign-block') signed.add(effect.block.hash)
          log.push(event)
          state = JSON.parse(JSON.stringify(step.state)) as ParticipantState
        }
        expect(play(...log).state).toEqual(state)
        expect(signed.size).toBeLessThanOrEqual(1)
      }),
    )
  })
})
