/**
 * A machine whose states, events and effects may hold secrets: what drive stores of them is encrypted, but for their
 * `phase` or `type`. The machine inside never knows.
 */

import type { Machine } from '../base/machine.ts'
import type { Sealer } from './sealer.ts'

/** What is stored in the place of a secret. */
interface Sealed {
  readonly sealed: string
}

export interface SealedMachine<State, Event, Effect> {
  readonly machine: Machine<unknown, unknown, unknown>
  /** An event in the form in which it may be dispatched. */
  sealEvent(event: Event): unknown
  /** @throws internal for what this node did not seal */
  openState(stored: unknown): State
  openEffect(stored: unknown): Effect
}

interface Secrecy<State, Effect> {
  readonly isSecretState: (state: State) => boolean
  readonly isSecretEffect: (effect: Effect) => boolean
}

const isSealed = (value: unknown): value is Sealed =>
  typeof value === 'object' && value !== null && typeof (value as Partial<Sealed>).sealed === 'string'

export function sealedMachine<
  State extends { readonly phase: string },
  Event extends { readonly type: string },
  Effect extends { readonly type: string },
>(
  inside: Machine<State, Event, Effect>,
  sealer: Sealer,
  { isSecretState, isSecretEffect }: Secrecy<State, Effect>,
): SealedMachine<State, Event, Effect> {
  const open = (what: string, stored: unknown): unknown =>
    isSealed(stored) ? sealer.open(`${inside.kind}/${what}`, stored.sealed) : stored
  const storedState = (state: State): unknown =>
    isSecretState(state) ? { phase: state.phase, sealed: sealer.seal(`${inside.kind}/state`, state) } : state
  const storedEffect = (effect: Effect): unknown =>
    isSecretEffect(effect) ? { type: effect.type, sealed: sealer.seal(`${inside.kind}/effect`, effect) } : effect
  const openState = (stored: unknown): State => open('state', stored) as State

  return {
    machine: {
      kind: inside.kind,
      initial: (stream) => storedState(inside.initial(stream)),
      step(stored, event) {
        const step = inside.step(openState(stored), open('event', event) as Event)
        return { ...step, state: storedState(step.state), effects: step.effects.map(storedEffect) }
      },
    },
    sealEvent: (event) => ({ type: event.type, sealed: sealer.seal(`${inside.kind}/event`, event) }),
    openState,
    openEffect: (stored) => open('effect', stored) as Effect,
  }
}
