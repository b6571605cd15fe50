/**
 * A round, as the hub lives it. Stream `round/<roundId>`.
 *
 *   announced -> collecting -> aggregating -> sealing -> broadcasting -> done
 *        any phase before sealed -> abandoned{reason}
 *
 * What arrives late or twice, deliberately (round.test.ts tries every event in every phase):
 * 1. A timer, or an answer to an effect that was already answered alike, changes nothing.
 * 2. A contribution is counted or refused with a code; never dropped in silence.
 * 3. An answer that contradicts an earlier one is refused: two hub processes may both aggregate, but only to one model.
 * 4. A round that is done or abandoned stays so.
 */

import { fail } from '../base/errors.ts'
import type { RoundId } from '../base/ids.ts'
import type { Machine } from '../base/machine.ts'
import { closeCollecting, withdraw } from './round-collecting.ts'
import { acceptContribution, refuseLate } from './round-contributions.ts'
import { endWithoutSum, noteJoined, takeSum } from './round-masking.ts'
import { open, sameOpening } from './round-opening.ts'
import { finish, remember, startBroadcasting, startSealing } from './round-sealing.ts'
import type { EventOf, OpenedRound, RoundEffect, RoundEvent, RoundIn, RoundState } from './round-state.ts'
import { abandon, moved, type RoundStep, unchanged } from './round-step.ts'

export const roundMachine: Machine<RoundState, RoundEvent, RoundEffect> = {
  kind: 'round',
  initial: (streamId) => ({
    phase: 'unopened',
    roundId: streamId.slice('round/'.length) as RoundId,
    left: [],
    cancelled: false,
  }),
  step,
}

function step(state: RoundState, event: RoundEvent): RoundStep {
  switch (state.phase) {
    case 'unopened':
      return unopened(state, event)
    case 'announced':
    case 'collecting':
      return collecting(state, event)
    case 'aggregating':
      return aggregating(state, event)
    case 'sealing':
      return sealing(state, event)
    case 'broadcasting':
      return broadcasting(state, event)
    case 'done':
      return done(state, event)
    case 'abandoned':
      return abandoned(state, event)
  }
}

/** Effects are carried out in any order, so a departure or a cancellation may overtake the opening. */
function unopened(state: RoundIn<'unopened'>, event: RoundEvent): RoundStep {
  switch (event.type) {
    case 'round-opened':
      return open(state, event)
    case 'participant-left':
      return unchanged({ ...state, left: [...new Set([...state.left, event.organisation])].toSorted() })
    case 'round-cancelled':
      return unchanged({ ...state, cancelled: true })
    case 'contribution-received':
    case 'joined':
    case 'unmasked':
    case 'masking-ended':
    case 'announced':
    case 'deadline-passed':
    case 'aggregated':
    case 'aggregation-failed':
    case 'sealed':
    case 'seal-failed':
    case 'broadcast':
      return fail('unknown-round', `round ${state.roundId} has not been opened`)
  }
}

function collecting(state: RoundIn<'announced' | 'collecting'>, event: RoundEvent): RoundStep {
  switch (event.type) {
    case 'announced':
      return state.phase === 'collecting' ? unchanged(state) : moved({ ...state, phase: 'collecting' })
    case 'contribution-received':
      return acceptContribution(state, event)
    case 'joined':
    case 'unmasked':
    case 'masking-ended':
      return state.config.protection === 'plain' ? outOfOrder(state, event) : masking(state, event)
    case 'deadline-passed':
      return event.at < state.deadline ? unchanged(state) : closeCollecting(state, event.at)
    case 'participant-left':
      return withdraw(state, event)
    case 'round-cancelled':
      return abandon(state, 'cancelled', 'the training was stopped', event.at)
    case 'round-opened':
      return reopened(state, event)
    case 'aggregated':
    case 'aggregation-failed':
    case 'sealed':
    case 'seal-failed':
    case 'broadcast':
      return outOfOrder(state, event)
  }
}

function masking(
  state: RoundIn<'announced' | 'collecting'>,
  event: EventOf<'joined' | 'unmasked' | 'masking-ended'>,
): RoundStep {
  switch (event.type) {
    case 'joined':
      return noteJoined(state, event)
    case 'unmasked':
      return takeSum(state, event)
    case 'masking-ended':
      return endWithoutSum(state, event)
  }
}

function aggregating(state: RoundIn<'aggregating'>, event: RoundEvent): RoundStep {
  switch (event.type) {
    case 'aggregated':
      return startSealing(state, event)
    case 'aggregation-failed':
      return abandon(state, 'aggregation-failed', `${event.code}: ${event.message}`, event.at)
    case 'participant-left':
      return remember(state, event)
    case 'round-cancelled':
      return abandon(state, 'cancelled', 'the training was stopped', event.at)
    case 'contribution-received':
      return refuseLate(state, event)
    case 'round-opened':
      return reopened(state, event)
    case 'joined':
    case 'unmasked':
    case 'masking-ended':
    case 'announced':
    case 'deadline-passed':
      return unchanged(state)
    case 'sealed':
    case 'seal-failed':
    case 'broadcast':
      return outOfOrder(state, event)
  }
}

function sealing(state: RoundIn<'sealing'>, event: RoundEvent): RoundStep {
  switch (event.type) {
    case 'sealed':
      return startBroadcasting(state, event)
    case 'seal-failed':
      return abandon(state, 'seal-failed', event.reason, event.at)
    case 'participant-left':
      return remember(state, event)
    case 'aggregated':
      return aggregatedAgain(state, event)
    case 'contribution-received':
      return refuseLate(state, event)
    case 'round-opened':
      return reopened(state, event)
    // A cancellation comes too late here: the ledger may be sealing at this moment, and its answer decides.
    case 'round-cancelled':
    case 'joined':
    case 'unmasked':
    case 'masking-ended':
    case 'announced':
    case 'deadline-passed':
    case 'aggregation-failed':
      return unchanged(state)
    case 'broadcast':
      return outOfOrder(state, event)
  }
}

function broadcasting(state: RoundIn<'broadcasting'>, event: RoundEvent): RoundStep {
  return event.type === 'broadcast' ? finish(state, event.at) : sealedAlready(state, event)
}

function done(state: RoundIn<'done'>, event: RoundEvent): RoundStep {
  return event.type === 'broadcast' ? unchanged(state) : sealedAlready(state, event)
}

/** Whatever comes once the block is in the ledger. */
function sealedAlready(
  state: RoundIn<'broadcasting' | 'done'>,
  event: Exclude<RoundEvent, EventOf<'broadcast'>>,
): RoundStep {
  switch (event.type) {
    case 'sealed':
      return event.hash === state.block.hash ? unchanged(state) : contradiction(state, `block ${event.hash}`)
    case 'seal-failed':
      return contradiction(state, 'a failure to seal')
    case 'aggregated':
      return aggregatedAgain(state, event)
    case 'contribution-received':
      return refuseLate(state, event)
    case 'round-opened':
      return reopened(state, event)
    case 'joined':
    case 'unmasked':
    case 'masking-ended':
    case 'participant-left':
    case 'round-cancelled':
    case 'announced':
    case 'deadline-passed':
    case 'aggregation-failed':
      return unchanged(state)
  }
}

function abandoned(state: RoundIn<'abandoned'>, event: RoundEvent): RoundStep {
  switch (event.type) {
    case 'contribution-received':
      return refuseLate(state, event)
    case 'round-opened':
      return reopened(state, event)
    case 'sealed':
      return contradiction(state, `block ${event.hash}`)
    case 'broadcast':
      return outOfOrder(state, event)
    case 'joined':
    case 'unmasked':
    case 'masking-ended':
    case 'announced':
    case 'deadline-passed':
    case 'participant-left':
    case 'aggregated':
    case 'aggregation-failed':
    case 'seal-failed':
    case 'round-cancelled':
      return unchanged(state)
  }
}

function reopened(state: OpenedRound, event: EventOf<'round-opened'>): RoundStep {
  return sameOpening(state, event)
    ? unchanged(state)
    : fail('already-exists', `round ${state.roundId} was opened with other content`)
}

function aggregatedAgain(state: RoundIn<'sealing' | 'broadcasting' | 'done'>, event: EventOf<'aggregated'>): RoundStep {
  const { model, strategyState } = state.aggregate
  if (event.model === model && event.strategyState === strategyState) return unchanged(state)
  return fail('digest-mismatch', `round ${state.roundId} was aggregated to ${model}, and again to ${event.model}`)
}

function contradiction(state: OpenedRound, what: string): RoundStep {
  return fail('ledger-conflict', `round ${state.roundId} is ${state.phase}, and the ledger reports ${what}`)
}

function outOfOrder(state: RoundState, event: RoundEvent): RoundStep {
  return fail('invalid-request', `${event.type} cannot come while round ${state.roundId} is ${state.phase}`)
}
