/**
 * An organisation in a round under encryption. Stream `encrypting/<roundId>`, at the organisation.
 *
 *   idle -> joined -> encrypting -> submitted -> checking -> signed -> opening -> given
 *   any phase before given -> abandoned{reason}
 *
 * 1. It gives one partial decryption a round: of the sum of the one list that it signed, once a quorum signed that list.
 * 2. It signs a list only if its own contribution is in it, everybody's is signed by its owner for this roster, no vector
 *    is there twice, and it has computed the sum itself. A single contribution is no list: it is below the quorum.
 * 3. A message that comes again changes nothing; one that contradicts an earlier one is refused and changes nothing.
 * 4. After `given` and `abandoned` the state holds no secret.
 */

import { canonicalJson } from '../../../base/canonical.ts'
import { fail } from '../../../base/errors.ts'
import { forgettingAfter } from '../../../base/forgetting.ts'
import type { Machine } from '../../../base/machine.ts'
import {
  type ClientStep,
  compareSum,
  encryptUpdate,
  givePartial,
  join,
  only,
  openPartially,
  submit,
  sumList,
} from './client-moves.ts'
import type { ClientEffect, ClientEvent, ClientOptions, ClientState } from './client-state.ts'

export function encryptionClient(self: ClientOptions): Machine<ClientState, ClientEvent, ClientEffect> {
  return forgettingAfter<ClientState, ClientEvent, ClientEffect>(['given', 'abandoned'], {
    kind: 'encrypting',
    initial: () => ({ phase: 'idle' }),
    step: (state, event) => step(self, state, event),
  })
}

function step(self: ClientOptions, state: ClientState, event: ClientEvent): ClientStep {
  if (state.phase === 'abandoned') return only(state)
  switch (event.type) {
    case 'opened':
      if (state.phase === 'idle') return join(self, event)
      return again(state, event, 'context' in state && state.context, event.context)
    case 'roster':
      if (state.phase === 'joined') return encryptUpdate(self, state, event)
      return again(state, event, 'members' in state && state.members, event.members)
    case 'encrypted':
      if (state.phase === 'encrypting') return submit(self, state, event)
      return again(state, event, 'vector' in state && state.vector, event.vector)
    case 'list':
      if (state.phase === 'submitted') return sumList(self, state, event)
      return again(state, event, 'list' in state && state.list, event.list)
    case 'summed':
      if (state.phase === 'checking') return compareSum(self, state, event)
      return again(state, event, 'list' in state && state.list.sum, event.sum)
    case 'quorum':
      if (state.phase === 'signed') return openPartially(state, event)
      return state.phase === 'opening' || state.phase === 'given' ? only(state) : outOfTurn(state, event)
    case 'partially-opened':
      if (state.phase === 'opening') return givePartial(self, state, event)
      return again(state, event, 'partial' in state && state.partial, event.partial)
    case 'abandoned':
      return state.phase === 'given' ? only(state) : only({ phase: 'abandoned', reason: event.reason.slice(0, 256) })
  }
}

/** What was once accepted may come again, as it was; another version of it is an attack, and refused with both. */
function again(state: ClientState, event: ClientEvent, accepted: unknown, offered: unknown): ClientStep {
  // After `given` only the report is left; nothing can be had any more.
  if (accepted === false) return state.phase === 'given' ? only(state) : outOfTurn(state, event)
  if (canonicalJson(offered) === canonicalJson(accepted)) return only(state)
  return fail('forbidden', `a second, different "${event.type}" came in one round`, { accepted, offered })
}

function outOfTurn(state: ClientState, event: ClientEvent): never {
  return fail('invalid-request', `"${event.type}" cannot come in phase "${state.phase}"`)
}
