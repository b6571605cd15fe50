/**
 * An organisation's part in a round. Stream `participant/<roundId>`, at the organisation.
 *
 *   idle -> training -> contributing -> contributed -> signing -> signed
 *           training -> masking -> contributed, with secure aggregation
 *   any phase before signing -> abandoned{reason}
 *
 * 1. It signs only a block that names exactly what it sent (judge-proposal.ts), and only one block a round.
 * 2. What it does not sign it records, with the reason.
 * 3. From the moment its contribution is under way the hub may have counted it, so it stays ready to sign until it gives
 *    up by its own clock, whatever becomes of the acknowledgement.
 */

import { fail } from '../base/errors.ts'
import type { RoundId } from '../base/ids.ts'
import type { Machine } from '../base/machine.ts'
import {
  abandonMasking,
  abandonRound,
  type AnnouncedParticipant,
  answerProposal,
  contribute,
  decline,
  forgetSigned,
  only,
  type ParticipantStep,
  refuseProposal,
  startTraining,
  vouchForMasked,
} from './participant-moves.ts'
import type {
  ParticipantEffect,
  ParticipantEvent,
  ParticipantIn,
  ParticipantOptions,
  ParticipantState,
} from './participant-state.ts'

export function participantMachine(
  self: ParticipantOptions,
): Machine<ParticipantState, ParticipantEvent, ParticipantEffect> {
  return {
    kind: 'participant',
    initial: (streamId) => ({ phase: 'idle', roundId: streamId.slice('participant/'.length) as RoundId }),
    step: (state, event) => step(self, state, event),
  }
}

function step(self: ParticipantOptions, state: ParticipantState, event: ParticipantEvent): ParticipantStep {
  switch (state.phase) {
    case 'idle':
      return idle(self, state, event)
    case 'training':
      return training(self, state, event)
    case 'masking':
      return masking(self, state, event)
    case 'contributing':
    case 'contributed':
      return contributing(self, state, event)
    case 'signing':
    case 'signed':
      return signing(self, state, event)
    case 'abandoned':
      return only(state)
  }
}

/** The end of a round may overtake its announcement; then there is nothing to train for. */
function idle(self: ParticipantOptions, state: ParticipantIn<'idle'>, event: ParticipantEvent): ParticipantStep {
  switch (event.type) {
    case 'announced':
      return startTraining(self, state, event)
    case 'abandoned':
      return abandonRound(state, event.reason, event.at)
    case 'proposal':
    case 'trained':
    case 'training-failed':
    case 'contributed':
    case 'contribution-refused':
    case 'block-signed':
    case 'masked':
    case 'masking-failed':
    case 'deadline-passed':
    case 'gave-up':
      return fail('unknown-round', `round ${state.roundId} was not announced here`)
  }
}

function training(
  self: ParticipantOptions,
  state: ParticipantIn<'training'>,
  event: ParticipantEvent,
): ParticipantStep {
  switch (event.type) {
    case 'trained':
      return contribute(self, state, event)
    case 'training-failed':
      return decline(state, `${event.code}: ${event.message}`, event.at, event.code)
    case 'abandoned':
      return abandonRound(state, event.reason, event.at)
    case 'deadline-passed':
      return abandonRound(state, 'not trained by the deadline', event.at)
    case 'proposal':
      return refuseProposal(state, event, 'nothing-sent')
    case 'announced':
      return announcedAgain(state, event.announcement.round_id)
    case 'contributed':
    case 'contribution-refused':
    case 'block-signed':
    case 'masked':
    case 'masking-failed':
      return fail('invalid-request', `${event.type} cannot come while round ${state.roundId} is in training`)
    case 'gave-up':
      return only(state)
  }
}

/** Nothing of it is in a sum before `masked`, so no block can be its own. */
function masking(self: ParticipantOptions, state: ParticipantIn<'masking'>, event: ParticipantEvent): ParticipantStep {
  switch (event.type) {
    case 'masked':
      return vouchForMasked(state, event)
    case 'masking-failed':
      return abandonMasking(self, state, `${event.code}: ${event.message}`, event.at)
    case 'abandoned':
      return abandonMasking(self, state, event.reason, event.at)
    case 'gave-up':
      return abandonMasking(self, state, 'no block was proposed in time', event.at)
    case 'proposal':
      return refuseProposal(state, event, 'nothing-sent')
    case 'announced':
      return announcedAgain(state, event.announcement.round_id)
    case 'contributed':
    case 'contribution-refused':
    case 'block-signed':
      return fail('invalid-request', `${event.type} cannot come while round ${state.roundId} is being masked`)
    case 'trained':
    case 'training-failed':
    case 'deadline-passed':
      return only(state)
  }
}

function contributing(
  self: ParticipantOptions,
  state: ParticipantIn<'contributing' | 'contributed'>,
  event: ParticipantEvent,
): ParticipantStep {
  switch (event.type) {
    case 'contributed':
      return only({ ...state, phase: 'contributed' })
    case 'contribution-refused':
      return state.phase === 'contributed'
        ? only(state)
        : abandonRound(state, `${event.code}: ${event.message}`, event.at)
    case 'proposal':
      return answerProposal(self, state, event)
    case 'abandoned':
      return abandonRound(state, event.reason, event.at)
    case 'gave-up':
      return abandonRound(state, 'no block was proposed in time', event.at)
    case 'announced':
      return announcedAgain(state, event.announcement.round_id)
    case 'block-signed':
      return fail('invalid-request', `no block of round ${state.roundId} is being signed`)
    case 'trained':
    case 'training-failed':
    case 'masked':
    case 'masking-failed':
    case 'deadline-passed':
      return only(state)
  }
}

/** A signature cannot be taken back, so neither an end of the round nor a timer changes anything here. */
function signing(
  self: ParticipantOptions,
  state: ParticipantIn<'signing' | 'signed'>,
  event: ParticipantEvent,
): ParticipantStep {
  switch (event.type) {
    case 'proposal':
      return answerProposal(self, state, event)
    case 'block-signed':
      return only({ ...state, phase: 'signed' })
    case 'announced':
      return announcedAgain(state, event.announcement.round_id)
    case 'trained':
    case 'training-failed':
    case 'contributed':
    case 'contribution-refused':
    case 'masked':
    case 'masking-failed':
    case 'deadline-passed':
      return only(state)
    case 'abandoned':
    case 'gave-up':
      return forgetSigned(state)
  }
}

function announcedAgain(state: AnnouncedParticipant, roundId: RoundId): ParticipantStep {
  return roundId === state.roundId
    ? only(state)
    : fail('invalid-request', `round ${roundId} is announced to the stream of ${state.roundId}`)
}
