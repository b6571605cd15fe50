/** What every move of a round is made of: steps with their record, who is still here, and the end by abandonment. */

import type { OrganisationId } from '../base/ids.ts'
import type { RecordWrite, Step } from '../base/machine.ts'
import type { ServerEvent as MaskingEvent } from '../privacy/masking/server-state.ts'
import { isEncrypted } from './encryption-config.ts'
import { bucketsOf, maskingIdOf } from './masking-config.ts'
import { roundRecord } from './round-record.ts'
import type {
  AbandonReason,
  OpenedRound,
  Participant,
  RoundEffect,
  RoundFacts,
  RoundIn,
  RoundReply,
  RoundState,
} from './round-state.ts'

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

export const names = (participants: readonly Participant[]): OrganisationId[] =>
  participants.map(({ organisation }) => organisation)

export function reply(round: RoundFacts, event: RoundReply): RoundEffect {
  return { type: 'dispatch', stream: round.replyStream, event }
}

type Abandonable = RoundIn<'announced' | 'collecting' | 'aggregating' | 'sealing'>

export function abandon(state: Abandonable, reason: AbandonReason, detail: string, at: number): RoundStep {
  const quiet = abandonUnannounced(state, reason, detail, at)
  const notice: RoundEffect = { type: 'notify-abandoned', to: names(remaining(state)), roundId: state.roundId, reason }
  return { ...quiet, effects: [notice, ...tellMasking(state, { type: 'cancelled', at }), ...quiet.effects] }
}

/** To the machine that masks the updates of this round, if it has one and still waits for it. */
export function tellMasking(state: Abandonable, event: MaskingEvent): RoundEffect[] {
  const waits = state.config.protection !== 'plain' && (state.phase === 'announced' || state.phase === 'collecting')
  if (!waits) return []
  const buckets = bucketsOf({ ...state, invited: state.participants })
  const hubStream = isEncrypted(state.config.protection) ? 'decrypting/' : 'unmasking/'
  return buckets.flatMap((bucket, k): RoundEffect[] => {
    // Only its own bucket waits for somebody.
    if (event.type === 'gone' && !names(bucket).includes(event.organisation)) return []
    return [{ type: 'dispatch', stream: `${hubStream}${maskingIdOf(state.roundId, k, buckets.length)}`, event }]
  })
}

/** Without the notice: nobody was told of the round, so nobody but the training is told of its end. */
export function abandonUnannounced(state: Abandonable, reason: AbandonReason, detail: string, at: number): RoundStep {
  const { roundId, round, left } = state
  const next: RoundIn<'abandoned'> = { ...factsOf(state), phase: 'abandoned', reason, detail, endedAt: at }
  return moved(next, reply(state, { type: 'round-abandoned', roundId, round, left, reason, detail, at }))
}

/** Leaves behind what only one phase knows. */
function factsOf(state: RoundFacts): RoundFacts {
  const { roundId, trainingId, round, baseModel, previousModel, strategyState, config } = state
  const { replyStream, openedAt, deadline, participants, left, contributions, joined, masked, lostBuckets, spoilt } =
    state
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
    ...(joined === undefined ? {} : { joined }),
    ...(masked === undefined ? {} : { masked }),
    ...(lostBuckets === undefined ? {} : { lostBuckets }),
    ...(spoilt === undefined ? {} : { spoilt }),
  }
}
