/** What a hub does with one message a phase of each organisation: who sent it, whether it is new, who is still awaited. */

import { canonicalJson } from '../../base/canonical.ts'
import { fail } from '../../base/errors.ts'
import type { OrganisationId } from '../../base/ids.ts'

export interface Named {
  readonly organisation: OrganisationId
}

export const names = (all: readonly Named[]): OrganisationId[] => all.map(({ organisation }) => organisation)

/** @throws impersonation */
export function requireSender(from: OrganisationId, { organisation }: Named): void {
  if (from !== organisation) fail('impersonation', `${from} sends in the name of ${organisation}`)
}

/** Adds what somebody sent, sorted. The same again is acknowledged; @throws already-submitted for another version */
export function collect<T extends Named>(all: readonly T[], one: T): readonly T[] {
  const before = all.find(({ organisation }) => organisation === one.organisation)
  if (before === undefined) return [...all, one].sort((a, b) => (a.organisation < b.organisation ? -1 : 1))
  if (canonicalJson(before) !== canonicalJson(one))
    fail('already-submitted', `${one.organisation} has sent another message for this phase`)
  return all
}

/** Whether nobody is left to wait for. */
export function complete(expected: readonly Named[], got: readonly Named[], gone: readonly OrganisationId[]): boolean {
  const answered = new Set([...names(got), ...gone])
  return expected.every(({ organisation }) => answered.has(organisation))
}
