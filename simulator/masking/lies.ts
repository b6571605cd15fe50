/**
 * One seed, one lying hub with as many corrupt participants as the plan allows. Either it splits the honest in two and
 * shows each half its own sharers and survivors; or it shows everybody another list of survivors, so that shares add up
 * to more dropouts than any one list may have. Its friends sign everything, and it collects what it can.
 */

import type { OrganisationId } from '../../src/base/ids.ts'
import { type Prng, prng, shuffle } from '../../src/base/prng.ts'
import { exposureOf } from '../../src/privacy/masking/exposure.suite.ts'
import { nameOf } from '../../src/privacy/masking/fixtures.ts'
import { LyingHub } from '../../src/privacy/masking/lying-hub.suite.ts'
import type { MaskedInput } from '../../src/privacy/masking/messages.ts'
import { planFor } from '../../src/privacy/masking/plan.ts'

export interface LieReport {
  readonly faults: readonly string[]
  /** Shares that the hub got from honest participants: zero when none was taken in. */
  readonly revealed: number
}

const sorted = <T extends { readonly organisation: OrganisationId }>(all: readonly T[]): T[] =>
  [...all].sort((a, b) => (a.organisation < b.organisation ? -1 : 1))

export function lie(seed: string): LieReport {
  const random = prng(`masking-lies/${seed}`)
  const count = 5 + random.below(6)
  const hub = new LyingHub({ seed, count, length: 2 })
  const plan = planFor(count, count, hub.world.context.policy)
  const corrupt = Array.from({ length: plan.corruptMax }, (_, i) => nameOf(count - 1 - i)).reverse()
  const honest = hub.names.slice(0, count - plan.corruptMax)
  const halves = [honest.filter((_, i) => i % 2 === 0), honest.filter((_, i) => i % 2 === 1)]
  hub.roster(hub.open())
  const lists = halves.map(() => (random.below(3) === 0 ? hub.names : subset(hub.names, plan.quorum, random)))
  // Half of the time, both halves see one list of sharers and differ in the survivors only.
  const shown = random.below(2) === 0 ? [hub.names, hub.names] : lists
  halves.forEach((half, i) => hub.inbox(half, shown[i]))
  if (random.below(2) === 0) showEachItsOwn(hub, halves, shown, corrupt, plan.quorum, random)
  else halves.forEach((half, i) => showSurvivors(hub, half, shown[i] ?? hub.names, corrupt, plan.quorum, random))
  halves.forEach((half, i) => bringQuorum(hub, half, shown[i] ?? hub.names, corrupt))
  const exposure = exposureOf(hub.world, new Set(corrupt))
  const faults = exposure.bothOpen.map((name) => `both secrets of ${name} can be opened`)
  for (const part of exposure.readable)
    if (part.length < plan.quorum - plan.corruptMax)
      faults.push(`a sum of only ${part.length} honest participants is readable`)
  if (exposure.readable.length > 1) faults.push('more than one sum is readable')
  return { faults, revealed: hub.sent('masking-reveal').length }
}

function subset(names: readonly OrganisationId[], least: number, random: Prng): OrganisationId[] {
  const gone = new Set<OrganisationId>()
  for (let i = random.below(names.length - least + 1); i > 0; i--)
    gone.add(names[random.below(names.length)] ?? nameOf(0))
  return names.filter((name) => !gone.has(name))
}

/** Each of the half gets one list that it is in, drawn for the half; the friends' vectors are made to fit. */
function showSurvivors(
  hub: LyingHub,
  half: readonly OrganisationId[],
  sharers: readonly OrganisationId[],
  corrupt: readonly OrganisationId[],
  quorum: number,
  random: Prng,
): void {
  const friends = corrupt.filter((name) => sharers.includes(name)).map((name) => hub.corruptVector(name, sharers))
  const sent = hub.sent('masking-input').filter(({ organisation }) => sharers.includes(organisation))
  const all = sorted([...sent, ...friends])
  const list = random.below(2) === 0 ? all : keep(all, quorum, random)
  for (const name of half) if (list.some(({ organisation }) => organisation === name)) hub.survivors(list, [name])
}

/** One more participant is to be cut off than a list may leave out; each list leaves out as many of them as it may. */
function showEachItsOwn(
  hub: LyingHub,
  halves: readonly (readonly OrganisationId[])[],
  shown: readonly (readonly OrganisationId[])[],
  corrupt: readonly OrganisationId[],
  quorum: number,
  random: Prng,
): void {
  const victims = halves
    .flat()
    .sort()
    .slice(0, hub.names.length - quorum + 1 + random.below(2))
  halves.forEach((half, i) => {
    const sharers = shown[i] ?? hub.names
    const friends = corrupt.filter((name) => sharers.includes(name)).map((name) => hub.corruptVector(name, sharers))
    const sent = hub.sent('masking-input').filter(({ organisation }) => sharers.includes(organisation))
    for (const name of half) {
      const gone = shuffle(
        victims.filter((victim) => victim !== name),
        random,
      )
      const all = sorted([...sent, ...friends])
      const left = all.filter(({ organisation }) => !gone.slice(0, all.length - quorum).includes(organisation))
      hub.survivors(left, [name])
    }
  })
}

function keep(all: readonly MaskedInput[], least: number, random: Prng): MaskedInput[] {
  const left = [...all]
  for (let i = random.below(Math.max(1, left.length - least + 1)); i > 0; i--) left.splice(random.below(left.length), 1)
  return left
}

/** All signatures that there are, from both halves and from the friends; each gets those that fit its own list. */
function bringQuorum(
  hub: LyingHub,
  half: readonly OrganisationId[],
  sharers: readonly OrganisationId[],
  corrupt: readonly OrganisationId[],
): void {
  for (const name of half) {
    const state = hub.world.clients.get(name)
    if (state?.phase !== 'signed') continue
    const list =
      hub.world.clientLogs.get(name)?.flatMap((event) => (event.type === 'survivors' ? [event.survivors] : []))[0] ?? []
    const fitting = hub.sent('masking-agreement').filter(({ organisation }) => {
      const other = hub.world.clients.get(organisation)
      return (
        other !== undefined &&
        'signed' in other &&
        other.signed === state.signed &&
        sameSharers(hub, organisation, name)
      )
    })
    const friends = corrupt
      .filter((friend) => list.some(({ organisation }) => organisation === friend))
      .map((friend) => hub.corruptAgreement(friend, list, sharers))
    hub.quorum(sorted([...fitting, ...friends]), [name])
  }
}

function sameSharers(hub: LyingHub, a: OrganisationId, b: OrganisationId): boolean {
  const sharersOf = (name: OrganisationId): string =>
    (hub.world.clientLogs.get(name) ?? [])
      .flatMap((event) => (event.type === 'inbox' ? event.inbox.sharers : []))
      .join()
  return sharersOf(a) === sharersOf(b)
}
