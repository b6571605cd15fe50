/** A machine that keeps nothing of its past once it has ended. */

import type { Machine } from './machine.ts'

/**
 * The machine, with the contents of its events removed at every step that ends in one of these phases: also of what comes
 * after the end, which is of as little use as what came before it, and may hold a secret just as well.
 */
export function forgettingAfter<State extends { readonly phase: string }, Event, Effect>(
  phases: readonly State['phase'][],
  machine: Machine<State, Event, Effect>,
): Machine<State, Event, Effect> {
  return {
    ...machine,
    step(state, event) {
      const step = machine.step(state, event)
      return phases.includes(step.state.phase) ? { ...step, forget: true } : step
    },
  }
}
