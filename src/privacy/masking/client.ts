/**
 * A participant in secure aggregation: the user of Bonawitz et al. 2017, Figure 4 (malicious variant), with the neighbour
 * graph of Bell et al. 2020. Stream `masking/<roundId>`, at the organisation.
 *
 *   idle -> advertised -> shared -> masking -> masked -> signed -> revealed
 *   any phase before revealed -> abandoned{reason}
 *
 * 1. It uses only keys that their owners signed for this very context.
 * 2. It signs one survivor set a round, and reveals shares only for a set with `quorum` signatures.
 * 3. Of another's secrets it reveals one share: of the self-mask seed of a survivor, of the mask key of a dropout.
 * 4. A message that comes again changes nothing; one that contradicts an earlier one is refused and changes nothing.
 * 5. After `revealed` and `abandoned` the state holds no secret.
 */

import { fail } from '../../base/errors.ts'
import { forgettingAfter } from '../../base/forgetting.ts'
import type { Machine } from '../../base/machine.ts'
import { canonicalJson } from '../../base/canonical.ts'
import { survivorsDigest } from './client-checks.ts'
import {
  advertiseKeys,
  type ClientStep,
  only,
  orderMasks,
  revealShares,
  shareKeys,
  signSurvivors,
  submitVector,
} from './client-moves.ts'
import type { ClientEffect, ClientEvent, ClientOptions, ClientState } from './client-state.ts'

export function maskingClient(self: ClientOptions): Machine<ClientState, ClientEvent, ClientEffect> {
  return forgettingAfter<ClientState, ClientEvent, ClientEffect>(['revealed', 'abandoned'], {
    kind: 'masking',
    initial: () => ({ phase: 'idle' }),
    step: (state, event) => step(self, state, event),
  })
}

function step(self: ClientOptions, state: ClientState, event: ClientEvent): ClientStep {
  if (state.phase === 'abandoned') return only(state)
  switch (event.type) {
    case 'opened':
      return state.phase === 'idle'
        ? advertiseKeys(self, event)
        : again(state, event, 'context' in state && state.context)
    case 'roster':
      if (state.phase === 'advertised') return shareKeys(self, state, event)
      return again(state, event, 'members' in state && state.members)
    case 'inbox':
      if (state.phase === 'shared') return orderMasks(self, state, event)
      return again(state, event, 'inbox' in state && state.inbox)
    case 'vector-masked':
      if (state.phase === 'masking') return submitVector(self, state, event)
      return again(state, event, 'vector' in state && state.vector)
    case 'survivors':
      if (state.phase === 'masked') return signSurvivors(self, state, event)
      return again(state, event, 'signed' in state && state.signed)
    case 'quorum':
      if (state.phase === 'signed') return revealShares(self, state, event)
      return state.phase === 'revealed' ? only(state) : outOfTurn(state, event)
    case 'abandoned':
      return state.phase === 'revealed' ? only(state) : only({ phase: 'abandoned', reason: event.reason.slice(0, 256) })
  }
}

type Known = Exclude<ClientEvent, { type: 'quorum' | 'abandoned' }>

/** What was once accepted may come again, as it was; another version of it is an attack, and refused with both. */
function again(state: ClientState, event: Known, accepted: unknown): ClientStep {
  if (accepted === false) return forgotten(state) ? only(state) : outOfTurn(state, event)
  if (canonicalJson(said(event)) === canonicalJson(accepted)) return only(state)
  return fail('forbidden', `a second, different "${event.type}" came in one round`, { accepted, offered: said(event) })
}

/** After the reveal only the signed set is remembered; nothing can be had any more. */
const forgotten = (state: ClientState): boolean => state.phase === 'revealed'

function said(event: Known): unknown {
  switch (event.type) {
    case 'opened':
      return event.context
    case 'roster':
      return event.members
    case 'inbox':
      return event.inbox
    case 'vector-masked':
      return event.vector
    case 'survivors':
      return survivorsDigest(event.survivors)
  }
}

function outOfTurn(state: ClientState, event: ClientEvent): never {
  return fail('invalid-request', `"${event.type}" cannot come in phase "${state.phase}"`)
}
