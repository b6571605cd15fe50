/**
 * The hub in secure aggregation: the server of Bonawitz et al. 2017, Figure 4 (malicious variant), with the neighbour
 * graph of Bell et al. 2020. Stream `unmasking/<roundId>`, at the hub.
 *
 *   idle -> advertising -> sharing -> masking -> agreeing -> unmasking -> summing -> done
 *   any phase before done -> abandoned{reason}
 *
 * 1. A phase ends when everybody answered, or when its time is over; below the quorum the round is abandoned.
 * 2. Who missed a phase is out of the later ones: what comes late is refused with `round-closed`.
 * 3. Each participant is counted once a phase; a second, different message is refused.
 * 4. The sum is exact or there is none: every recovered secret is checked against what its owner published.
 */

import { fail } from '../../base/errors.ts'
import type { OrganisationId } from '../../base/ids.ts'
import { forgettingAfter } from '../../base/forgetting.ts'
import type { Machine } from '../../base/machine.ts'
import {
  abandon,
  closeAdvertising,
  closeAgreeing,
  closeMasking,
  closeSharing,
  closeUnmasking,
  finish,
  only,
  open,
  type ServerStep,
  takeAgreement,
  takeKeys,
  takeReveal,
  takeShares,
  takeVector,
  withdraw,
} from './server-moves.ts'
import type { CollectingPhase, ServerEffect, ServerEvent, ServerIn, ServerState } from './server-state.ts'

/** It keeps no boxes and shares longer than it needs them; of letters with shares that were revealed the hub keeps the head. */
export function maskingServer(): Machine<ServerState, ServerEvent, ServerEffect> {
  return forgettingAfter(['done', 'abandoned'], { kind: 'unmasking', initial: () => ({ phase: 'idle' }), step })
}

function step(state: ServerState, event: ServerEvent): ServerStep {
  switch (event.type) {
    case 'opened':
      return state.phase === 'idle' ? open(event) : only(state)
    case 'keys':
      return state.phase === 'advertising' ? takeKeys(state, event) : late(state, event.from)
    case 'shares':
      return state.phase === 'sharing' ? takeShares(state, event) : late(state, event.from)
    case 'vector':
      return state.phase === 'masking' ? takeVector(state, event) : late(state, event.from)
    case 'agreement':
      return state.phase === 'agreeing' ? takeAgreement(state, event) : late(state, event.from)
    case 'reveal':
      return state.phase === 'unmasking' ? takeReveal(state, event) : late(state, event.from)
    case 'phase-over':
      return state.phase === event.phase ? close(state, event.at) : only(state)
    case 'summed':
      return state.phase === 'summing' ? finish(state, event) : only(state)
    case 'summing-failed':
      return state.phase === 'summing' ? abandon(state.participants, 'unmasking-failed', event.message) : only(state)
    case 'gone':
      if (state.phase === 'idle') return notYet(event.organisation)
      return isCollecting(state) ? withdraw(state, event) : only(state)
    case 'cancelled':
      return cancel(state)
  }
}

function close(state: Extract<ServerState, { phase: CollectingPhase }>, at: number): ServerStep {
  switch (state.phase) {
    case 'advertising':
      return closeAdvertising(state, at)
    case 'sharing':
      return closeSharing(state, at)
    case 'masking':
      return closeMasking(state, at)
    case 'agreeing':
      return closeAgreeing(state, at)
    case 'unmasking':
      return closeUnmasking(state)
  }
}

function isCollecting(state: ServerState): state is ServerIn<CollectingPhase> {
  return 'gone' in state
}

function cancel(state: ServerState): ServerStep {
  if (state.phase === 'done' || state.phase === 'abandoned') return only(state)
  // Effects are carried out in any order: the end may overtake the beginning.
  if (state.phase === 'idle') return abandon([], 'cancelled', 'the round was cancelled')
  const told = state.phase === 'summing' ? state.participants : state.context.invited.map((one) => one.organisation)
  return abandon(told, 'cancelled', 'the round was cancelled')
}

function late(state: ServerState, from: OrganisationId): never {
  if (state.phase === 'idle') return notYet(from)
  return fail('round-closed', `the message of ${from} does not belong to phase "${state.phase}"`)
}

/** The opening is on its way. */
function notYet(from: OrganisationId): never {
  return fail('unavailable', `the masking of this round has not been opened when ${from} answers`)
}
