/** The moves of a training. Each returns the next state with the effects that it sets off. */

import { digestOf } from '../base/hash.ts'
import type { OrganisationId } from '../base/ids.ts'
import type { RecordWrite, Step } from '../base/machine.ts'
import type { SealRequested } from '../ledger/sealing.ts'
import { nextClip, withClip } from './adaptive-clip.ts'
import { initialBlockContent, modelVersion, roundIdOf } from './block-content.ts'
import type { Participant, RoundEvent, RoundOpened, RoundReply } from './round-state.ts'
import type {
  StartedTraining,
  TrainingEffect,
  TrainingEventOf,
  TrainingFacts,
  TrainingIn,
  TrainingStarted,
  TrainingState,
} from './training-state.ts'

export type TrainingStep = Step<TrainingState, TrainingEffect>

/** A federation that fails so many rounds in a row needs a person, not a further round. */
const ABANDONED_IN_ROW_MAX = 3

export const unchanged = (state: TrainingState): TrainingStep => ({ state, effects: [] })

function moved(state: StartedTraining, ...effects: readonly TrainingEffect[]): TrainingStep {
  const record: RecordWrite = { collection: 'training', key: state.trainingId, value: trainingRecord(state) }
  return { state, effects, records: [record] }
}

/** What readers see of a training: the record `training/<trainingId>`. */
export function trainingRecord(state: StartedTraining) {
  return {
    training_id: state.trainingId,
    phase: state.phase,
    round: state.round,
    rounds: state.config.rounds,
    rounds_finished: state.roundsFinished,
    organisations: state.organisations.map(({ organisation }) => organisation),
    model: state.model,
    model_version: modelVersion(state.modelRound),
    strategy: state.config.strategy.name,
    started_at: state.startedAt,
    ended_at: 'endedAt' in state ? state.endedAt : null,
    reason: state.phase === 'failed' ? state.reason : null,
  }
}

export function start(event: TrainingStarted): TrainingStep {
  const { trainingId, config, initialModel, organisations, sealInitialModel, firstRound = 1, at } = event
  const state: TrainingIn<'sealing-initial'> = {
    phase: 'sealing-initial',
    trainingId,
    config,
    startedAt: at,
    organisations: sorted(organisations),
    initialModel,
    model: initialModel,
    modelRound: 0,
    previousModel: null,
    strategyState: null,
    round: firstRound - 1,
    lastRound: firstRound - 1 + config.rounds,
    roundsFinished: 0,
    abandonedInRow: 0,
  }
  return sealInitialModel ? moved(state, sealInitial(event)) : startRunning(state, at)
}

function sealInitial({ trainingId, config, initialModel, at }: TrainingStarted): TrainingEffect {
  const event: SealRequested = {
    type: 'seal-requested',
    id: roundIdOf(trainingId, 0),
    content: initialBlockContent(trainingId, config, initialModel),
    signers: [],
    signaturesMin: 0,
    at,
    deadline: at + config.round.sealTimeoutMs,
    replyStream: `training/${trainingId}`,
  }
  return { type: 'dispatch', stream: 'ledger', event }
}

export function startRunning(state: TrainingIn<'sealing-initial'>, at: number): TrainingStep {
  return openRound({ ...state, phase: 'running' }, at)
}

function openRound(before: TrainingIn<'running'>, at: number): TrainingStep {
  const state = { ...before, round: before.round + 1 }
  const { trainingId, round, model, previousModel, strategyState, config } = state
  const event: RoundOpened = {
    type: 'round-opened',
    roundId: roundIdOf(trainingId, round),
    trainingId,
    round,
    baseModel: model,
    previousModel,
    strategyState,
    config: withClip(config, state.clip),
    candidates: candidatesOf(state),
    replyStream: `training/${trainingId}`,
    at,
  }
  return moved(state, toRound(state, event))
}

/**
 * Those who are invited are the crowd that a quorum is counted from: who declines would count against it in every round. So it is
 * not asked again in this training, unless it joins anew. In the clear it is asked each time, since it costs nothing.
 */
function excuse(state: TrainingIn<'running'>, { left = [] }: RoundReply): TrainingIn<'running'> {
  const { config, organisations, declined = [] } = state
  if (config.protection === 'plain') return state
  const members = new Set(organisations.map(({ organisation }) => organisation))
  const fresh = left.filter((one) => members.has(one) && !declined.includes(one))
  return fresh.length === 0 ? state : { ...state, declined: [...declined, ...fresh].toSorted() }
}

const candidatesOf = ({ organisations, declined = [] }: TrainingFacts): Participant[] =>
  organisations.filter(({ organisation }) => !declined.includes(organisation))

function toRound(state: TrainingFacts, event: RoundEvent): TrainingEffect {
  return { type: 'dispatch', stream: `round/${roundIdOf(state.trainingId, state.round)}`, event }
}

export function roundFinished(state: TrainingIn<'running'>, event: TrainingEventOf<'round-finished'>): TrainingStep {
  const next = {
    ...excuse(state, event),
    model: event.model,
    modelRound: event.round,
    previousModel: event.baseModel,
    strategyState: event.strategyState,
    roundsFinished: state.roundsFinished + 1,
    abandonedInRow: 0,
    ...clipAfter(state, event),
  }
  return next.round >= next.lastRound ? end(next, 'done', event.at) : openRound(next, event.at)
}

function clipAfter(
  { config: { clipAdaptive }, clip }: TrainingFacts,
  { unclipped }: TrainingEventOf<'round-finished'>,
): { clip?: number } {
  if (clipAdaptive === undefined || unclipped === undefined) return {}
  return { clip: nextClip(clip ?? clipAdaptive.from, unclipped, clipAdaptive) }
}

export function roundAbandoned(state: TrainingIn<'running'>, event: TrainingEventOf<'round-abandoned'>): TrainingStep {
  const excused = excuse(state, event)
  // Each time fewer are invited, so this comes to an end; and the training gets the rounds that were asked for.
  if (excused !== state) return openRound({ ...excused, lastRound: state.lastRound + 1 }, event.at)
  const next = { ...state, abandonedInRow: state.abandonedInRow + 1 }
  const last = next.round >= next.lastRound
  if (next.abandonedInRow >= ABANDONED_IN_ROW_MAX || (last && next.roundsFinished === 0))
    return failTraining(
      next,
      `${next.abandonedInRow} rounds in a row were abandoned, the last one because of ${event.reason}`,
      event.at,
    )
  return last ? end(next, 'done', event.at) : openRound(next, event.at)
}

/** A key that was rotated counts from the next round on: the open one was announced under the old key. */
export function join(
  state: TrainingIn<'sealing-initial' | 'running'>,
  event: TrainingEventOf<'organisation-joined'>,
): TrainingStep {
  const { organisation, publicKey } = event
  const organisations = sorted([...without(state, organisation), { organisation, publicKey }])
  if (state.declined === undefined) return moved({ ...state, organisations })
  return moved({ ...state, organisations, declined: state.declined.filter((one) => one !== organisation) })
}

export function leave(
  state: TrainingIn<'sealing-initial' | 'running'>,
  { organisation, at }: TrainingEventOf<'organisation-left'>,
): TrainingStep {
  const next = { ...state, organisations: without(state, organisation) }
  return state.phase === 'running'
    ? moved(next, toRound(state, { type: 'participant-left', organisation, at }))
    : moved(next)
}

export function stopRunning(state: TrainingIn<'running'>, at: number): TrainingStep {
  return end(state, 'stopped', at, toRound(state, { type: 'round-cancelled', at }))
}

type Ongoing = TrainingIn<'sealing-initial' | 'running'>

export function end(
  state: Ongoing,
  phase: 'done' | 'stopped',
  at: number,
  ...effects: readonly TrainingEffect[]
): TrainingStep {
  return moved({ ...state, phase, endedAt: at }, ...effects)
}

export function failTraining(state: Ongoing, reason: string, at: number): TrainingStep {
  return moved({ ...state, phase: 'failed', reason, endedAt: at })
}

/** Whether a training was started by this very event, delivered twice. */
export function sameStart(state: StartedTraining, event: TrainingStarted): boolean {
  return (
    state.startedAt === event.at &&
    state.initialModel === event.initialModel &&
    digestOf(state.config) === digestOf(event.config)
  )
}

function without(state: TrainingFacts, organisation: OrganisationId): Participant[] {
  return state.organisations.filter((one) => one.organisation !== organisation)
}

function sorted(organisations: readonly Participant[]): Participant[] {
  return organisations.toSorted((a, b) => (a.organisation < b.organisation ? -1 : 1))
}
