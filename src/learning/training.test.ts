import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { EntenteError } from '../base/errors.ts'
import type { SealRequested } from '../ledger/sealing.ts'
import { configOf, digestFor, organisation, participants, TRAINING } from './learning.suite.ts'
import { roundIdOf } from './block-content.ts'
import type { RoundOpened } from './round-state.ts'
import { trainingMachine } from './training.ts'
import type { TrainingEffect, TrainingEvent, TrainingStarted, TrainingState } from './training-state.ts'

function started(changes: Partial<TrainingStarted> = {}): TrainingStarted {
  return {
    type: 'training-started',
    trainingId: TRAINING,
    config: configOf({ rounds: 3 }),
    initialModel: digestFor('initial'),
    sealInitialModel: false,
    organisations: participants('org-b', 'org-a'),
    at: 10,
    ...changes,
  }
}

const finished = (round: number): TrainingEvent => ({
  type: 'round-finished',
  roundId: roundIdOf(TRAINING, round),
  round,
  baseModel: digestFor(round === 1 ? 'initial' : `model-${round - 1}`),
  model: digestFor(`model-${round}`),
  strategyState: digestFor(`state-${round}`),
  height: round,
  hash: digestFor(`block-${round}`),
  at: 10 + round,
})
const abandoned = (round: number): TrainingEvent => ({
  type: 'round-abandoned',
  roundId: roundIdOf(TRAINING, round),
  round,
  reason: 'too-few-contributions',
  detail: '1 of 2',
  at: 10 + round,
})

function play(...events: readonly TrainingEvent[]): { state: TrainingState; effects: TrainingEffect[] } {
  const effects: TrainingEffect[] = []
  let state = trainingMachine.initial(`training/${TRAINING}`)
  for (const event of events) {
    const step = trainingMachine.step(state, event)
    effects.push(...step.effects)
    state = step.state
  }
  return { state, effects }
}

const opened = (effects: readonly TrainingEffect[]): RoundOpened[] =>
  effects.map(({ event }) => event as RoundOpened).filter(({ type }) => type === 'round-opened')

describe('a training', () => {
  it('opens one round after the other, each from the model of the one before', () => {
    const { state, effects } = play(started(), finished(1), finished(2), finished(3))
    expect(opened(effects)).toMatchObject([
      { roundId: 't1-1', baseModel: digestFor('initial'), previousModel: null, strategyState: null },
      {
        roundId: 't1-2',
        baseModel: digestFor('model-1'),
        previousModel: digestFor('initial'),
        strategyState: digestFor('state-1'),
      },
      {
        roundId: 't1-3',
        baseModel: digestFor('model-2'),
        previousModel: digestFor('model-1'),
        strategyState: digestFor('state-2'),
      },
    ])
    expect(effects.map(({ stream }) => stream)).toEqual(['round/t1-1', 'round/t1-2', 'round/t1-3'])
    expect(state).toMatchObject({ phase: 'done', model: digestFor('model-3'), roundsFinished: 3 })
  })

  it('counts from the round that it is told to start with, and opens as many as configured', () => {
    const { state, effects } = play(started({ firstRound: 5 }), finished(5), finished(6), finished(7))
    expect(effects.map(({ stream }) => stream)).toEqual(['round/t1-5', 'round/t1-6', 'round/t1-7'])
    expect(state).toMatchObject({ phase: 'done', model: digestFor('model-7'), roundsFinished: 3 })
  })

  it('seals the initial model first if asked, and opens round 1 when that is done', () => {
    const first = play(started({ sealInitialModel: true }))
    const request = first.effects[0]?.event as SealRequested
    expect(first.effects).toHaveLength(1)
    expect(request).toMatchObject({ type: 'seal-requested', id: 't1-0', signers: [], replyStream: 'training/t1' })
    expect(request.content).toMatchObject({
      model_hash: digestFor('initial'),
      provenance: { model_version: 'v1.0-init', parent_model: null, round_id: 't1-0', participants: [] },
    })
    const sealed: TrainingEvent = { type: 'sealed', height: 0, hash: digestFor('genesis'), at: 12 }
    expect(opened(play(started({ sealInitialModel: true }), sealed).effects)).toHaveLength(1)
    const failed: TrainingEvent = { type: 'seal-failed', reason: 'queue-full', at: 12 }
    expect(play(started({ sealInitialModel: true }), failed).state).toMatchObject({ phase: 'failed' })
  })

  it('after an abandoned round goes on from the same model with the next number', () => {
    const { state, effects } = play(started(), finished(1), abandoned(2))
    expect(opened(effects).at(-1)).toMatchObject({
      roundId: 't1-3',
      baseModel: digestFor('model-1'),
      previousModel: digestFor('initial'),
    })
    expect(trainingMachine.step(state, abandoned(3)).state).toMatchObject({
      phase: 'done',
      model: digestFor('model-1'),
    })
  })

  it('fails after three abandoned rounds in a row, and when not one round succeeded', () => {
    const long = started({ config: configOf({ rounds: 10 }) })
    expect(play(long, abandoned(1), abandoned(2), finished(3), abandoned(4), abandoned(5)).state.phase).toBe('running')
    expect(play(long, finished(1), abandoned(2), abandoned(3), abandoned(4)).state.phase).toBe('failed')
    expect(play(started({ config: configOf({ rounds: 1 }) }), abandoned(1)).state.phase).toBe('failed')
  })

  it('takes who joins, and a rotated key, into the next round, and tells the open round who left', () => {
    const joined: TrainingEvent = {
      type: 'organisation-joined',
      organisation: organisation('org-c'),
      publicKey: 'key-c',
      at: 11,
    }
    const rotated: TrainingEvent = {
      type: 'organisation-joined',
      organisation: organisation('org-a'),
      publicKey: 'key-2',
      at: 11,
    }
    const left: TrainingEvent = { type: 'organisation-left', organisation: organisation('org-b'), at: 11 }
    const { effects } = play(started(), joined, rotated, left, finished(1))
    expect(effects[1]).toEqual({
      type: 'dispatch',
      stream: 'round/t1-1',
      event: { type: 'participant-left', organisation: 'org-b', at: 11 },
    })
    expect(opened(effects).at(-1)?.candidates).toEqual([
      { organisation: 'org-a', publicKey: 'key-2' },
      { organisation: 'org-c', publicKey: 'key-c' },
    ])
  })

  describe('whose updates are hidden', () => {
    const hidden = started({
      config: configOf({ rounds: 2, protection: 'secagg', round: { participantsMin: 3 } }),
      organisations: participants('org-a', 'org-b', 'org-c', 'org-d', 'org-e'),
    })
    const without = (event: TrainingEvent, ...left: string[]): TrainingEvent =>
      ({ ...event, left: left.map(organisation) }) as TrainingEvent
    const invited = (effects: readonly TrainingEffect[]): string[][] =>
      opened(effects).map(({ candidates }) => candidates.map((one) => one.organisation.slice(4)))

    it('does not ask again who declined, and gives the rounds that were asked for all the same', () => {
      const { state, effects } = play(hidden, without(abandoned(1), 'org-b', 'org-d'), finished(2), finished(3))
      expect(invited(effects)).toEqual([
        ['a', 'b', 'c', 'd', 'e'],
        ['a', 'c', 'e'],
        ['a', 'c', 'e'],
      ])
      expect(state).toMatchObject({ phase: 'done', roundsFinished: 2 })
    })

    it('asks again who joins anew', () => {
      const { state, effects } = play(hidden, without(finished(1), 'org-b'))
      const joined = {
        type: 'organisation-joined',
        organisation: organisation('org-b'),
        publicKey: 'k',
        at: 12,
      } as const
      const again = play(hidden, without(finished(1), 'org-b'), joined, abandoned(2))
      expect(state).toMatchObject({ declined: ['org-b'] })
      expect(invited(effects).at(-1)).toEqual(['a', 'c', 'd', 'e'])
      expect(again.state).toMatchObject({ declined: [] })
    })

    it('ends when round after round is abandoned and nobody declined', () => {
      const long = { ...hidden, config: { ...hidden.config, rounds: 9 } } as TrainingEvent
      const twice = [without(abandoned(1), 'org-b'), without(abandoned(2), 'org-b')]
      expect(play(long, ...twice, abandoned(3)).state.phase).toBe('running')
      expect(play(long, ...twice, abandoned(3), abandoned(4)).state.phase).toBe('failed')
    })
  })

  it('in the clear asks everybody in every round', () => {
    const declined = { ...finished(1), left: [organisation('org-b')] } as TrainingEvent
    expect(opened(play(started(), declined).effects).at(-1)?.candidates).toHaveLength(2)
  })

  it('that is stopped cancels the open round and opens no other', () => {
    const { state, effects } = play(started(), { type: 'training-stopped', at: 11 }, finished(1))
    expect(state).toMatchObject({ phase: 'stopped', model: digestFor('initial') })
    expect(effects.slice(1)).toEqual([
      { type: 'dispatch', stream: 'round/t1-1', event: { type: 'round-cancelled', at: 11 } },
    ])
  })

  it('is started once: the same start again changes nothing, another is refused', () => {
    const { state } = play(started())
    expect(trainingMachine.step(state, started())).toEqual({ state, effects: [] })
    const other = started({ initialModel: digestFor('other') })
    expect(() => trainingMachine.step(state, other)).toThrow(expect.objectContaining({ code: 'already-exists' }))
  })

  it('that was never started is not found', () => {
    expect(() => play(finished(1))).toThrow(expect.objectContaining({ code: 'not-found' }))
  })

  it('ignores the answer of any round but the current one', () => {
    const { state } = play(started(), finished(1))
    for (const event of [finished(1), abandoned(1), finished(3), abandoned(3)])
      expect(trainingMachine.step(state, event)).toEqual({ state, effects: [] })
  })
})

describe('replay', () => {
  it('in any order of events the accepted ones replay to the same state, and no round is opened twice', () => {
    const anyEvent = fc.oneof(
      fc.integer({ min: 1, max: 4 }).map(finished),
      fc.integer({ min: 1, max: 4 }).map(abandoned),
      fc.constantFrom<TrainingEvent>(
        started(),
        started({ sealInitialModel: true }),
        { type: 'sealed', height: 0, hash: digestFor('genesis'), at: 5 },
        { type: 'seal-failed', reason: 'x', at: 5 },
        { type: 'organisation-joined', organisation: organisation('org-c'), publicKey: 'key-c', at: 5 },
        { type: 'organisation-left', organisation: organisation('org-a'), at: 5 },
        { type: 'training-stopped', at: 5 },
      ),
    )
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 20 }), (tried) => {
        const log: TrainingEvent[] = []
        const effects: TrainingEffect[] = []
        let state = trainingMachine.initial(`training/${TRAINING}`)
        for (const event of tried) {
          try {
            const step = trainingMachine.step(state, event)
            effects.push(...step.effects)
            state = JSON.parse(JSON.stringify(step.state)) as TrainingState
            log.push(event)
          } catch (error) {
            if (!(error instanceof EntenteError)) throw error
          }
        }
        expect(play(...log).state).toEqual(state)
        const rounds = opened(effects).map(({ round }) => round)
        expect(rounds).toEqual(rounds.map((_round, i) => i + 1))
      }),
    )
  })
})
