import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EntenteError, type ErrorCode } from '../base/errors.ts'
import type { SealRequested } from '../ledger/sealing.ts'
import {
  configOf,
  contributionOf,
  digestFor,
  MASKED_SUM,
  OPENED_AT,
  opening,
  organisation,
  participants,
  ROUND,
} from './learning.suite.ts'
import { roundMachine } from './round.ts'
import { contributionReceived } from './round-contributions.ts'
import type { RoundEffect, RoundEvent, RoundPhase, RoundState } from './round-state.ts'
import { selectParticipants } from './select-participants.ts'

const DEADLINE = OPENED_AT + 1_000
const aggregated: RoundEvent = {
  type: 'aggregated',
  model: digestFor('model'),
  strategyState: null,
  normDifference: 1,
  gradientNorm: 2,
  convergence: 0.1,
  durationMs: 5,
  at: DEADLINE + 1,
}
const sealed: RoundEvent = { type: 'sealed', height: 1, hash: digestFor('block'), at: DEADLINE + 2 }

/** Applies events, keeping the effects. */
function play(events: readonly RoundEvent[]): { state: RoundState; effects: RoundEffect[] } {
  const effects: RoundEffect[] = []
  let state = roundMachine.initial(`round/${ROUND}`)
  for (const event of events) {
    const step = roundMachine.step(state, event)
    effects.push(...step.effects)
    state = step.state
  }
  return { state, effects }
}

const attempt = (state: RoundState, event: RoundEvent): ErrorCode | RoundState => {
  try {
    return roundMachine.step(state, event).state
  } catch (error) {
    if (error instanceof EntenteError) return error.code
    throw error
  }
}

const refusal = (events: readonly RoundEvent[], last: RoundEvent): unknown => attempt(play(events).state, last)
const dispatched = (effects: readonly RoundEffect[], stream: string) =>
  effects.flatMap((effect) => (effect.type === 'dispatch' && effect.stream === stream ? [effect.event] : []))

const collecting: RoundEvent[] = [opening(), { type: 'announced', at: OPENED_AT + 1 }]
const two: RoundEvent[] = [...collecting, contributionOf('org-b'), contributionOf('org-a')]
const aggregating: RoundEvent[] = [...two, { type: 'deadline-passed', at: DEADLINE }]
const finished: RoundEvent[] = [...aggregating, aggregated, sealed, { type: 'broadcast', at: DEADLINE + 3 }]

/** One way into each phase. */
const ways: Record<RoundPhase, readonly RoundEvent[]> = {
  unopened: [],
  announced: [opening()],
  collecting: two,
  aggregating,
  sealing: finished.slice(0, -2),
  broadcasting: finished.slice(0, -1),
  done: finished,
  abandoned: [opening(), { type: 'round-cancelled', at: OPENED_AT + 5 }],
}

const events: Record<RoundEvent['type'], RoundEvent> = {
  'round-opened': opening(),
  announced: { type: 'announced', at: OPENED_AT + 1 },
  'contribution-received': contributionOf('org-c'),
  'deadline-passed': { type: 'deadline-passed', at: DEADLINE },
  'participant-left': { type: 'participant-left', organisation: organisation('org-c'), at: OPENED_AT + 20 },
  aggregated,
  'aggregation-failed': { type: 'aggregation-failed', code: 'not-finite', message: 'overflow', at: DEADLINE },
  sealed,
  'seal-failed': { type: 'seal-failed', reason: 'timeout', at: DEADLINE + 2 },
  broadcast: { type: 'broadcast', at: DEADLINE + 3 },
  'round-cancelled': { type: 'round-cancelled', at: DEADLINE },
  joined: { type: 'joined', organisation: organisation('org-c'), dataSources: [], at: OPENED_AT + 20 },
  unmasked: { type: 'unmasked', ...MASKED_SUM, at: OPENED_AT + 20 },
  'masking-ended': { type: 'masking-ended', bucket: 0, reason: 'too-few-keys', detail: '', at: OPENED_AT + 20 },
}

/**
 * What each event does in each phase: the phase it leads to, `=` for a step that changes nothing at all, `~` for one that
 * changes facts within the phase, or the code of the refusal.
 */
const table: Record<RoundPhase, Record<RoundEvent['type'], string>> = {
  unopened: {
    'round-opened': 'announced',
    announced: 'unknown-round',
    'contribution-received': 'unknown-round',
    'deadline-passed': 'unknown-round',
    'participant-left': '~',
    aggregated: 'unknown-round',
    'aggregation-failed': 'unknown-round',
    sealed: 'unknown-round',
    'seal-failed': 'unknown-round',
    broadcast: 'unknown-round',
    'round-cancelled': '~',
    joined: 'unknown-round',
    unmasked: 'unknown-round',
    'masking-ended': 'unknown-round',
  },
  announced: {
    'round-opened': '=',
    announced: 'collecting',
    'contribution-received': 'collecting',
    'deadline-passed': 'abandoned',
    'participant-left': '~',
    aggregated: 'invalid-request',
    'aggregation-failed': 'invalid-request',
    sealed: 'invalid-request',
    'seal-failed': 'invalid-request',
    broadcast: 'invalid-request',
    'round-cancelled': 'abandoned',
    joined: 'invalid-request',
    unmasked: 'invalid-request',
    'masking-ended': 'invalid-request',
  },
  collecting: {
    'round-opened': '=',
    announced: '=',
    'contribution-received': 'aggregating',
    'deadline-passed': 'aggregating',
    'participant-left': 'aggregating',
    aggregated: 'invalid-request',
    'aggregation-failed': 'invalid-request',
    sealed: 'invalid-request',
    'seal-failed': 'invalid-request',
    broadcast: 'invalid-request',
    'round-cancelled': 'abandoned',
    joined: 'invalid-request',
    unmasked: 'invalid-request',
    'masking-ended': 'invalid-request',
  },
  aggregating: {
    'round-opened': '=',
    announced: '=',
    'contribution-received': 'round-closed',
    'deadline-passed': '=',
    'participant-left': '~',
    aggregated: 'sealing',
    'aggregation-failed': 'abandoned',
    sealed: 'invalid-request',
    'seal-failed': 'invalid-request',
    broadcast: 'invalid-request',
    'round-cancelled': 'abandoned',
    joined: '=',
    unmasked: '=',
    'masking-ended': '=',
  },
  sealing: {
    'round-opened': '=',
    announced: '=',
    'contribution-received': 'round-closed',
    'deadline-passed': '=',
    'participant-left': '~',
    aggregated: '=',
    'aggregation-failed': '=',
    sealed: 'broadcasting',
    'seal-failed': 'abandoned',
    broadcast: 'invalid-request',
    'round-cancelled': '=',
    joined: '=',
    unmasked: '=',
    'masking-ended': '=',
  },
  broadcasting: {
    'round-opened': '=',
    announced: '=',
    'contribution-received': 'round-closed',
    'deadline-passed': '=',
    'participant-left': '=',
    aggregated: '=',
    'aggregation-failed': '=',
    sealed: '=',
    'seal-failed': 'ledger-conflict',
    broadcast: 'done',
    'round-cancelled': '=',
    joined: '=',
    unmasked: '=',
    'masking-ended': '=',
  },
  done: {
    'round-opened': '=',
    announced: '=',
    'contribution-received': 'round-closed',
    'deadline-passed': '=',
    'participant-left': '=',
    aggregated: '=',
    'aggregation-failed': '=',
    sealed: '=',
    'seal-failed': 'ledger-conflict',
    broadcast: '=',
    'round-cancelled': '=',
    joined: '=',
    unmasked: '=',
    'masking-ended': '=',
  },
  abandoned: {
    'round-opened': '=',
    announced: '=',
    'contribution-received': 'round-closed',
    'deadline-passed': '=',
    'participant-left': '=',
    aggregated: '=',
    'aggregation-failed': '=',
    sealed: 'ledger-conflict',
    'seal-failed': '=',
    broadcast: 'invalid-request',
    'round-cancelled': '=',
    joined: '=',
    unmasked: '=',
    'masking-ended': '=',
  },
}

const ROWS_MAX = configOf({}).local.rowsMax

describe('every event in every phase', () => {
  for (const phase of Object.keys(ways) as RoundPhase[])
    it.each(Object.keys(events) as RoundEvent['type'][])(`${phase}: %s does what the table says`, (type) => {
      const { state } = play(ways[phase])
      expect(state.phase).toBe(phase)
      const outcome = attempt(state, events[type])
      if (typeof outcome === 'string') expect(outcome).toBe(table[phase][type])
      else if (JSON.stringify(outcome) === JSON.stringify(state)) expect('=').toBe(table[phase][type])
      else expect(outcome.phase === phase ? '~' : outcome.phase).toBe(table[phase][type])
    })

  it('a step that changes nothing has no effects either', () => {
    for (const phase of Object.keys(ways) as RoundPhase[])
      for (const type of Object.keys(events) as RoundEvent['type'][])
        if (table[phase][type] === '=')
          expect(roundMachine.step(play(ways[phase]).state, events[type]).effects).toEqual([])
  })
})

describe('collecting', () => {
  it('ends as soon as everybody has contributed, before the deadline and before the announcement is confirmed', () => {
    const { state, effects } = play([
      opening(),
      contributionOf('org-c'),
      contributionOf('org-a'),
      contributionOf('org-b'),
    ])
    expect(state.phase).toBe('aggregating')
    const aggregate = effects.find((effect) => effect.type === 'aggregate')
    expect(aggregate?.contributions.map((one) => one.organisation)).toEqual(['org-a', 'org-b', 'org-c'])
  })

  it('the deadline is an effect, and a timer that fires early changes nothing', () => {
    const { state, effects } = play(two)
    expect(effects).toContainEqual({ type: 'after', at: DEADLINE, event: { type: 'deadline-passed', at: DEADLINE } })
    expect(roundMachine.step(state, { type: 'deadline-passed', at: DEADLINE - 1 })).toEqual({ state, effects: [] })
  })

  it('at the deadline fewer than the minimum abandon the round, and participants and training are told', () => {
    const { state, effects } = play([...collecting, contributionOf('org-a'), { type: 'deadline-passed', at: DEADLINE }])
    expect(state).toMatchObject({ phase: 'abandoned', reason: 'too-few-contributions' })
    expect(effects).toContainEqual({
      type: 'notify-abandoned',
      to: ['org-a', 'org-b', 'org-c'],
      roundId: ROUND,
      reason: 'too-few-contributions',
    })
    expect(dispatched(effects, 'training/t1')).toMatchObject([{ type: 'round-abandoned', round: 1 }])
  })

  it('too few candidates abandon the round before anybody is told of it', () => {
    const { state, effects } = play([opening({ candidates: participants('org-a') })])
    expect(state).toMatchObject({ phase: 'abandoned', reason: 'too-few-candidates' })
    expect(effects.map((effect) => effect.type)).toEqual(['dispatch'])
  })

  it('a cancellation and a departure that overtake the opening still count', () => {
    const left: RoundEvent = { type: 'participant-left', organisation: organisation('org-a'), at: 1 }
    expect(play([left, opening()]).state).toMatchObject({ participants: participants('org-b', 'org-c') })
    expect(play([{ type: 'round-cancelled', at: 1 }, opening()]).state).toMatchObject({
      phase: 'abandoned',
      reason: 'cancelled',
    })
  })

  it('an opening with other content is refused', () => {
    expect(refusal(collecting, opening({ baseModel: digestFor('other') }))).toBe('already-exists')
  })
})

describe('contributions', () => {
  it('one that arrives at the deadline is refused with round-closed even if the timer has not fired', () => {
    expect(refusal(two, contributionOf('org-c', { at: DEADLINE }))).toBe('round-closed')
    expect(attempt(play(two).state, contributionOf('org-c', { at: DEADLINE - 1 }))).toMatchObject({
      phase: 'aggregating',
    })
  })

  it('a second one of the same organisation is refused with the digest of the first, also after the round closed', () => {
    const second = contributionOf('org-a', { envelopeId: 'another', update: { digest: digestFor('other'), size: 1 } })
    expect(refusal(two, second)).toBe('already-submitted')
    expect(refusal(finished, second)).toBe('already-submitted')
    expect(() => roundMachine.step(play(two).state, second)).toThrow(
      expect.objectContaining({ details: { digest: digestFor('update-org-a') } }),
    )
  })

  it('the same envelope again is acknowledged and counted once, also when the round has closed meanwhile', () => {
    const { state } = play(two)
    expect(roundMachine.step(state, contributionOf('org-a'))).toEqual({ state, effects: [] })
    const closed = play(finished).state
    expect(roundMachine.step(closed, contributionOf('org-a'))).toEqual({ state: closed, effects: [] })
  })

  it('an abandoned round acknowledges nothing, for nothing counts in it', () => {
    const abandoned = [...two, { type: 'round-cancelled', at: 5 } as const]
    expect(refusal(abandoned, contributionOf('org-a'))).toBe('round-closed')
  })

  it('an organisation that was not selected is refused', () => {
    expect(refusal(collecting, contributionOf('org-z'))).toBe('not-a-participant')
  })

  it('an update of another model is refused', () => {
    expect(refusal(collecting, contributionOf('org-a', { baseModel: digestFor('old') }))).toBe('wrong-base-model')
  })

  it.each([1e12, ROWS_MAX + 1, 0, -5, 1.5, Number.NaN, Number.POSITIVE_INFINITY])(
    'a declared sample count of %d is refused',
    (sampleCount) => {
      expect(refusal(collecting, contributionOf('org-a', { sampleCount }))).toBe('sample-count-invalid')
    },
  )

  it('the largest sample count is what a training takes of anybody', () => {
    const { state } = play([...collecting, contributionOf('org-a', { sampleCount: ROWS_MAX })])
    expect(state).toMatchObject({ contributions: [{ sampleCount: ROWS_MAX }] })
  })

  it('one that claims noise which is not on is refused: nobody may believe it', () => {
    const stages = contributionOf('org-a').stages.map((record) =>
      record.stage === 'noise' ? { ...record, applied: true } : record,
    )
    expect(refusal(collecting, contributionOf('org-a', { stages }))).toBe('invalid-request')
  })

  it('one in the name of another organisation is refused before it becomes an event', () => {
    const { stages, metrics, update, baseModel, sampleCount } = contributionOf('org-b')
    const gradient = {
      blob: update,
      base_model: baseModel,
      sample_count: sampleCount,
      stages: [...stages],
      metrics,
      data_sources: [],
    }
    const body = { round_id: ROUND, org_id: organisation('org-b'), encrypted_gradient: gradient }
    expect(() => contributionReceived(body, organisation('org-a'), 'e', 1)).toThrow(
      expect.objectContaining({ code: 'impersonation' }),
    )
    expect(contributionReceived(body, organisation('org-b'), 'e', 1)).toMatchObject({
      organisation: 'org-b',
      envelopeId: 'e',
      at: 1,
    })
  })
})

describe('leaving', () => {
  const leave = (name: string): RoundEvent => ({
    type: 'participant-left',
    organisation: organisation(name),
    at: OPENED_AT + 30,
  })

  it('before the aggregation takes the contribution along', () => {
    const { state } = play([...two, leave('org-a')])
    expect(state).toMatchObject({ phase: 'collecting', contributions: [{ organisation: 'org-b' }] })
    expect(attempt(state, contributionOf('org-a'))).toBe('not-a-participant')
  })

  it('of the last straggler ends collecting; of too many abandons the round', () => {
    expect(play([...two, leave('org-c')]).state.phase).toBe('aggregating')
    expect(play([...two, leave('org-c')]).state).toMatchObject({ left: ['org-c'] })
    expect(play([...collecting, leave('org-a'), leave('org-b')]).state).toMatchObject({
      phase: 'abandoned',
      reason: 'too-few-participants',
    })
  })

  it('during the aggregation keeps the contribution in the block but asks for no signature', () => {
    const three = [
      opening(),
      contributionOf('org-a'),
      contributionOf('org-b'),
      contributionOf('org-c'),
      leave('org-b'),
      aggregated,
    ]
    const request = dispatched(play(three).effects, 'ledger')[0] as SealRequested
    expect(request.signers.map(({ org_id }) => org_id)).toEqual(['org-a', 'org-c'])
    expect(request.content.provenance.participants.map(({ org_id }) => org_id)).toEqual(['org-a', 'org-b', 'org-c'])
  })

  it('of nearly everybody during the aggregation abandons the round: a block without signers would be sealed unsigned', () => {
    const { state, effects } = play([...aggregating, leave('org-a'), leave('org-b'), aggregated])
    expect(state).toMatchObject({ phase: 'abandoned', reason: 'too-few-participants' })
    expect(dispatched(effects, 'ledger')).toEqual([])
  })
})

describe('after collecting', () => {
  it('the block says who contributed what, with which weight, under which configuration', () => {
    const request = dispatched(play([...aggregating, aggregated]).effects, 'ledger')[0] as SealRequested
    expect(request).toMatchObject({
      id: ROUND,
      signaturesMin: 2,
      replyStream: `round/${ROUND}`,
      deadline: DEADLINE + 1 + 60_000,
    })
    expect(request.content).toMatchObject({
      model_hash: digestFor('model'),
      aggregation_metrics: {
        round: 1,
        num_clients: 2,
        convergence: 0.1,
        norm_difference: 1,
        gradient_norm: 2,
        reported_loss: 0.5,
      },
      provenance: {
        model_version: 'v1.1-round-1',
        parent_model: digestFor('base'),
        training_id: 't1',
        round_id: ROUND,
        data_sources: ['zeek-tsv'],
        participants: [
          { org_id: 'org-a', sample_count: 100, contribution: digestFor('update-org-a') },
          { org_id: 'org-b', sample_count: 100, contribution: digestFor('update-org-b') },
        ],
        privacy_params: { epsilon: null, delta: null, clipping_norm: null },
      },
    })
  })

  it('a second aggregation to another model is refused; two hub processes may not disagree', () => {
    const other = { ...aggregated, model: digestFor('other') }
    for (const way of [ways.sealing, ways.broadcasting, ways.done]) expect(refusal(way, other)).toBe('digest-mismatch')
  })

  it('a second block is refused', () => {
    const other = { ...sealed, hash: digestFor('other') }
    for (const way of [ways.broadcasting, ways.done]) expect(refusal(way, other)).toBe('ledger-conflict')
  })

  it('the training learns the new model only when the block is broadcast', () => {
    expect(dispatched(play(ways.broadcasting).effects, 'training/t1')).toEqual([])
    expect(dispatched(play(ways.done).effects, 'training/t1')).toMatchObject([
      { type: 'round-finished', round: 1, baseModel: digestFor('base'), model: digestFor('model'), height: 1 },
    ])
  })

  it('a failed aggregation and a failed seal abandon the round with their reasons', () => {
    expect(play([...aggregating, events['aggregation-failed']]).state).toMatchObject({
      phase: 'abandoned',
      reason: 'aggregation-failed',
      detail: 'not-finite: overflow',
    })
    expect(play([...aggregating, aggregated, events['seal-failed']]).state).toMatchObject({
      phase: 'abandoned',
      reason: 'seal-failed',
      detail: 'timeout',
    })
  })
})

describe('selection', () => {
  const many = participants(...Array.from({ length: 20 }, (_, i) => `org-${i}`))
  const config = configOf({ round: { participantsMax: 5 }, seed: 's' })

  it('depends on seed and round and not on the order in which the candidates are listed', () => {
    const chosen = selectParticipants(many, config, 3)
    expect(chosen).toHaveLength(5)
    expect(selectParticipants(many.toReversed(), config, 3)).toEqual(chosen)
    expect(selectParticipants(many, config, 4)).not.toEqual(chosen)
    expect(selectParticipants(many, configOf({ round: { participantsMax: 5 }, seed: 'z' }), 3)).not.toEqual(chosen)
    expect(chosen.map((one) => one.organisation)).toEqual(chosen.map((one) => one.organisation).toSorted())
  })

  it('takes everybody once while there is room', () => {
    expect(selectParticipants([...many, ...many], configOf(), 1)).toHaveLength(20)
  })

  it('gives every candidate about the same chance', () => {
    const hits = new Map<string, number>()
    for (let round = 1; round <= 400; round++)
      for (const { organisation: name } of selectParticipants(many, config, round))
        hits.set(name, (hits.get(name) ?? 0) + 1)
    // 400 rounds of 5 in 20: mean 100, standard deviation 8.7.
    for (const count of hits.values()) expect(Math.abs(count - 100)).toBeLessThan(44)
  })
})

describe('replay', () => {
  const anyEvent = fc.oneof(
    fc.constantFrom(...Object.values(events)),
    fc
      .record({ name: fc.constantFrom('org-a', 'org-b', 'org-c', 'org-z'), at: fc.integer({ min: 0, max: 3_000 }) })
      .map(({ name, at }) => contributionOf(name, { at })),
  )

  it('the accepted events replay to the same state, which survives JSON; nothing but an EntenteError is thrown', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 30 }), (tried) => {
        const log: RoundEvent[] = []
        let state = roundMachine.initial(`round/${ROUND}`)
        for (const event of [opening(), ...tried]) {
          const outcome = attempt(state, event)
          if (typeof outcome === 'string') continue
          log.push(event)
          state = JSON.parse(JSON.stringify(outcome)) as RoundState
        }
        expect(play(log).state).toEqual(state)
      }),
    )
  })

  it('no order of events counts an organisation twice, or ends a round twice', () => {
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 40 }), (tried) => {
        let state = roundMachine.initial(`round/${ROUND}`)
        let replies = 0
        for (const event of [opening(), ...tried]) {
          if (typeof attempt(state, event) === 'string') continue
          const step = roundMachine.step(state, event)
          replies += dispatched(step.effects, 'training/t1').length
          state = step.state
        }
        const names = state.phase === 'unopened' ? [] : state.contributions.map((one) => one.organisation)
        expect(new Set(names).size).toBe(names.length)
        expect(replies).toBeLessThanOrEqual(1)
      }),
    )
  })
})
