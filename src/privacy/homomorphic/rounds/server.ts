/**
 * The hub in a round under encryption. Stream `decrypting/<roundId>`, at the hub.
 *
 *   idle -> joining -> gathering -> summing -> agreeing -> opening -> combining -> done
 *   any phase before done -> abandoned{reason}
 *
 * It holds no share of the key (and under CKKS no key), so it opens nothing that the organisations do not open for it.
 * 1. A phase ends when everybody answered, or when its time is over; below quorum or threshold the round is abandoned.
 * 2. The list of contributions is frozen once, before anybody is asked to open it: what comes late is `round-closed`.
 * 3. Each organisation is counted once a phase; a second, different message is refused.
 * 4. A wrong partial decryption is left out and its sender named, in the facts of the round or of its end.
 */

import { fail } from '../../../base/errors.ts'
import type { OrganisationId } from '../../../base/ids.ts'
import { forgettingAfter } from '../../../base/forgetting.ts'
import type { Machine } from '../../../base/machine.ts'
import { names } from '../../rounds/collecting.ts'
import {
  abandon,
  askAgreement,
  closeAgreeing,
  closeGathering,
  closeJoining,
  closeOpening,
  finish,
  only,
  open,
  type ServerStep,
  takeAgreement,
  takeContribution,
  takeJoin,
  takePartial,
  withdraw,
} from './server-moves.ts'
import type { CollectingPhase, ServerEffect, ServerEvent, ServerIn, ServerState } from './server-state.ts'

export function decryptionServer(): Machine<ServerState, ServerEvent, ServerEffect> {
  return forgettingAfter(['done', 'abandoned'], { kind: 'decrypting', initial: () => ({ phase: 'idle' }), step })
}

function step(state: ServerState, event: ServerEvent): ServerStep {
  switch (event.type) {
    case 'opened':
      return state.phase === 'idle' ? open(event) : only(state)
    case 'joined':
      return state.phase === 'joining' ? takeJoin(state, event) : late(state, event.from)
    case 'contribution':
      return state.phase === 'gathering' ? takeContribution(state, event) : late(state, event.from)
    case 'summed':
      return state.phase === 'summing' ? askAgreement(state, event) : only(state)
    case 'agreement':
      return state.phase === 'agreeing' ? takeAgreement(state, event) : late(state, event.from)
    case 'partial':
      return state.phase === 'opening' ? takePartial(state, event) : late(state, event.from)
    case 'combined':
      return state.phase === 'combining' ? finish(state, event) : only(state)
    case 'not-combined': {
      if (state.phase !== 'combining') return only(state)
      const detail = `the sum did not open${event.blamed.length > 0 ? `; wrong: ${event.blamed.join(', ')}` : ''}`
      return abandon(names(state.list.contributions), event.reason, detail, event.blamed)
    }
    case 'work-failed':
      return state.phase === 'summing' || state.phase === 'combining'
        ? abandon(names(state.members), 'opening-failed', event.message)
        : only(state)
    case 'phase-over':
      return state.phase === event.phase ? close(state, event.at) : only(state)
    case 'gone':
      if (state.phase === 'idle') return notYet(event.organisation)
      return isCollecting(state) ? withdraw(state, event) : only(state)
    case 'cancelled':
      return cancel(state)
  }
}

const COLLECTING: ReadonlySet<string> = new Set<CollectingPhase>(['joining', 'gathering', 'agreeing', 'opening'])

function isCollecting(state: ServerState): state is ServerIn<CollectingPhase> {
  return COLLECTING.has(state.phase)
}

function close(state: ServerIn<CollectingPhase>, at: number): ServerStep {
  switch (state.phase) {
    case 'joining':
      return closeJoining(state, at)
    case 'gathering':
      return closeGathering(state)
    case 'agreeing':
      return closeAgreeing(state, at)
    case 'opening':
      return closeOpening(state)
  }
}

function cancel(state: ServerState): ServerStep {
  if (state.phase === 'done' || state.phase === 'abandoned') return only(state)
  // Effects are carried out in any order: the end may overtake the beginning.
  const told = state.phase === 'idle' ? [] : names(state.context.invited)
  return abandon(told, 'cancelled', 'the round was cancelled')
}

function late(state: ServerState, from: OrganisationId): never {
  if (state.phase === 'idle') return notYet(from)
  return fail('round-closed', `the message of ${from} does not belong to phase "${state.phase}"`)
}

/** The opening is on its way. */
function notYet(from: OrganisationId): never {
  return fail('unavailable', `the decryption of this round has not been opened when ${from} answers`)
}
