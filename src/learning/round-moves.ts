/** The moves of a round from phase to phase. Each returns the next state with the effects that it sets off. */

import type { OrganisationId } from '../base/ids.ts'
import type { RecordWrite, Step } from '../base/machine.ts'
import type { SealRequested } from '../ledger/sealing.ts'
import { roundBlockContent } from './block-content.ts'
import { roundRecord } from './round-record.ts'
import type {
  AbandonReason,
  AggregateResult,
  EventOf,
  OpenedRound,
  Participant,
  RoundEffect,
  RoundFacts,
  RoundIn,
  RoundReply,
  RoundState,
} from './round-state.ts'
import { selectParticipants } from './select-participants.ts'

export type RoundStep = Step<RoundState, RoundEffect>

export const unchanged = (state: RoundState): RoundStep => ({ state, effects: [] })

export function moved(state: OpenedRound, ...effects: readonly RoundEffect[]): RoundStep {
  const record: RecordWrite = { collection: 'round', key: state.roundId, value: roundRecord(state) }
  return { state, effects, records: [record] }
}

/** The participants that are still here, sorted. */
export function remaining(round: RoundFacts): Participant[] {
  return round.participants.filter(({ organisation }) => !round.left.includes(organisation))
}

const names = (participants: readonly Participant[]): OrganisationId[] =>
  participants.map(({ organisation }) => organisation)

function reply(round: RoundFacts, event: RoundReply): RoundEffect {
  return { type: 'dispatch', stream: round.replyStream, event }
}

export function open(before: RoundIn<'unopened'>, event: EventOf<'round-opened'>): RoundStep {
  const { roundId, trainingId, round, baseModel, previousModel, strategyState, config, replyStream, at } = event
  const here = event.candidates.filter(({ organisation }) => !before.left.includes(organisation))
  const state: RoundIn<'announced'> = {
    phase: 'announced',
    roundId,
    trainingId,
    round,
    baseModel,
    previousModel,
    strategyState,
    config,
    replyStream,
    openedAt: at,
    deadline: at + config.round.deadlineMs,
    participants: selectParticipants(here, config, round),
    left: [],
    contributions: [],
  }
  if (before.cancelled) return abandonUnannounced(state, 'cancelled', 'the training was stopped', at)
  const { participantsMin } = config.round
  if (state.participants.length < participantsMin)
    return abandonUnannounced(
      state,
      'too-few-candidates',
      `${state.participants.length} of at least ${participantsMin}`,
      at,
    )
  return moved(state, announce(state), {
    type: 'after',
    at: state.deadline,
    event: { type: 'deadline-passed', at: state.deadline },
  })
}

function announce(state: RoundFacts): RoundEffect {
  const announcement = {
    round_id: state.roundId,
    training_id: state.trainingId,
    round: state.round,
    base_model: state.baseModel,
    config: state.config,
    deadline: state.deadline,
  }
  return { type: 'announce', to: names(state.participants), announcement }
}

/** Ends collecting at the deadline with what is there, if that is enough. */
export function closeCollecting(state: RoundIn<'announced' | 'collecting'>, at: number): RoundStep {
  const { participantsMin } = state.config.round
  if (state.contributions.length >= participantsMin) return startAggregating(state)
  return abandon(
    state,
    'too-few-contributions',
    `${state.contributions.length} of at least ${participantsMin} by the deadline`,
    at,
  )
}

/** Ends collecting before the deadline when everybody who is still here has contributed. */
export function closeIfComplete(state: RoundIn<'announced' | 'collecting'>): RoundStep {
  return state.contributions.length === remaining(state).length ? startAggregating(state) : moved(state)
}

/** Who leaves before the aggregation takes its contribution along: consent ends with membership. */
export function withdraw(state: RoundIn<'announced' | 'collecting'>, event: EventOf<'participant-left'>): RoundStep {
  if (!names(remaining(state)).includes(event.organisation)) return unchanged(state)
  const next = {
    ...state,
    left: [...state.left, event.organisation].toSorted(),
    contributions: state.contributions.filter(({ organisation }) => organisation !== event.organisation),
  }
  const { participantsMin } = state.config.round
  const still = remaining(next).length
  if (still < participantsMin)
    return abandon(next, 'too-few-participants', `${still} of at least ${participantsMin} are left`, event.at)
  return closeIfComplete(next)
}

/** Who leaves later is in the aggregate already; it only need not sign. */
export function remember(state: RoundIn<'aggregating' | 'sealing'>, event: EventOf<'participant-left'>): RoundStep {
  if (!names(remaining(state)).includes(event.organisation)) return unchanged(state)
  return moved({ ...state, left: [...state.left, event.organisation].toSorted() })
}

function startAggregating(state: RoundIn<'announced' | 'collecting'>): RoundStep {
  const { roundId, round, baseModel, previousModel, strategyState, config, contributions } = state
  const next: RoundIn<'aggregating'> = { ...state, phase: 'aggregating' }
  return moved(next, {
    type: 'aggregate',
    roundId,
    round,
    baseModel,
    previousModel,
    strategyState,
    config,
    contributions,
  })
}

/** With nobody left to sign, the ledger would seal at once, unsigned: so the minimum is checked before it is asked. */
export function startSealing(state: RoundIn<'aggregating'>, event: EventOf<'aggregated'>): RoundStep {
  const contributed = new Set(state.contributions.map(({ organisation }) => organisation))
  const signers = remaining(state).filter(({ organisation }) => contributed.has(organisation))
  const { participantsMin } = state.config.round
  const detail = `${signers.length} of at least ${participantsMin} are left to sign`
  if (signers.length < participantsMin) return abandon(state, 'too-few-participants', detail, event.at)
  const { model, strategyState, normDifference, gradientNorm, convergence, durationMs } = event
  const aggregate: AggregateResult = { model, strategyState, normDifference, gradientNorm, convergence, durationMs }
  const next: RoundIn<'sealing'> = { ...state, phase: 'sealing', aggregate }
  return moved(next, { type: 'dispatch', stream: 'ledger', event: sealRequest(state, aggregate, signers, event.at) })
}

function sealRequest(
  state: RoundFacts,
  aggregate: AggregateResult,
  signers: readonly Participant[],
  at: number,
): SealRequested {
  return {
    type: 'seal-requested',
    id: state.roundId,
    content: roundBlockContent(state, aggregate),
    signers: signers.map(({ organisation, publicKey }) => ({ org_id: organisation, public_key: publicKey })),
    signaturesMin: state.config.round.participantsMin,
    at,
    deadline: at + state.config.round.sealTimeoutMs,
    replyStream: `round/${state.roundId}`,
  }
}

export function startBroadcasting(state: RoundIn<'sealing'>, { height, hash }: EventOf<'sealed'>): RoundStep {
  const next: RoundIn<'broadcasting'> = { ...state, phase: 'broadcasting', block: { height, hash } }
  return moved(next, { type: 'confirm-broadcast', roundId: state.roundId, height, hash, model: state.aggregate.model })
}

export function finish(state: RoundIn<'broadcasting'>, at: number): RoundStep {
  const { roundId, round, baseModel, block } = state
  const { model, strategyState } = state.aggregate
  const next: RoundIn<'done'> = { ...state, phase: 'done', endedAt: at }
  return moved(
    next,
    reply(state, { type: 'round-finished', roundId, round, baseModel, model, strategyState, ...block, at }),
  )
}

type Abandonable = RoundIn<'announced' | 'collecting' | 'aggregating' | 'sealing'>

export function abandon(state: Abandonable, reason: AbandonReason, detail: string, at: number): RoundStep {
  const quiet = abandonUnannounced(state, reason, detail, at)
  const notice: RoundEffect = { type: 'notify-abandoned', to: names(remaining(state)), roundId: state.roundId, reason }
  return { ...quiet, effects: [notice, ...quiet.effects] }
}

/** Without the notice: nobody was told of the round, so nobody but the training is told of its end. */
function abandonUnannounced(state: Abandonable, reason: AbandonReason, detail: string, at: number): RoundStep {
  const { roundId, round } = state
  const next: RoundIn<'abandoned'> = { ...factsOf(state), phase: 'abandoned', reason, detail, endedAt: at }
  return moved(next, reply(state, { type: 'round-abandoned', roundId, round, reason, detail, at }))
}

/** Leaves behind what only one phase knows. */
function factsOf(state: RoundFacts): RoundFacts {
  const { roundId, trainingId, round, baseModel, previousModel, strategyState, config } = state
  const { replyStream, openedAt, deadline, participants, left, contributions } = state
  return {
    roundId,
    trainingId,
    round,
    baseModel,
    previousModel,
    strategyState,
    config,
    replyStream,
    openedAt,
    deadline,
    participants,
    left,
    contributions,
  }
}
