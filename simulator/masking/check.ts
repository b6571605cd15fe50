/**
 * What must hold of every history: the sum is exactly the plain sum of the survivors' quantised updates, or the round is
 * abandoned and nothing was revealed; each machine replays; nobody's two secrets can both be opened.
 */

import type { OrganisationId } from '../../src/base/ids.ts'
import { maskingClient } from '../../src/privacy/masking/client.ts'
import { exposureOf } from '../../src/privacy/masking/exposure.suite.ts'
import { identityOf, type World } from '../../src/privacy/masking/fixtures.ts'
import { planFor } from '../../src/privacy/masking/plan.ts'
import { maskingServer } from '../../src/privacy/masking/server.ts'

/** What is wrong, in words; nothing in a sound history. Replaying doubles the work. */
export function faultsOf(world: World, { replay = true } = {}): string[] {
  const faults = [...endFaults(world), ...sumFaults(world), ...exposureFaults(world)]
  return replay ? [...faults, ...replayFaults(world)] : faults
}

function endFaults({ hub }: World): string[] {
  return hub.phase === 'done' || hub.phase === 'abandoned' ? [] : [`the hub hangs in phase ${hub.phase}`]
}

/** By other code than the product's: plain integers, added one by one. */
function sumFaults({ hub, sum, quantised, context }: World): string[] {
  if (hub.phase !== 'done') return sum === undefined ? [] : ['there is a sum of an abandoned round']
  const total = new Int32Array(context.length)
  for (const { organisation } of hub.facts.survivors) {
    const words = quantised.get(organisation)
    if (words === undefined) return [`${organisation} counts, but never quantised anything`]
    new Int32Array(words.slice().buffer).forEach((value, i) => (total[i] = (total[i] ?? 0) + value))
  }
  const found = new Int32Array((sum ?? new Uint8Array()).slice().buffer)
  return total.length === found.length && total.every((value, i) => value === found[i]) ? [] : ['the sum is not exact']
}

/** States what each party saw: the hub alone, and the hub with as many corrupt participants as the plan allows. */
function exposureFaults(world: World): string[] {
  const { hub, names, context } = world
  const survivors = hub.phase === 'done' ? hub.facts.survivors.map(({ organisation }) => organisation) : []
  const alone = exposureOf(world)
  const faults: string[] = []
  if (hub.phase === 'done' && !isOnly(alone.readable, survivors))
    faults.push('the hub reads another sum than that of the survivors')
  if (hub.phase === 'abandoned') {
    if (exposureOf(world, new Set(), { inTime: true }).readable.length > 0)
      faults.push('the round is abandoned, and yet a sum is readable')
    // Shares that come after the end cannot be called back. Even then it is the sum that a quorum signed, or none.
    for (const part of alone.readable)
      if (part.join() !== agreedOn(world).join()) faults.push('a sum is readable that nobody signed')
  }
  const corruptMax = Math.ceil(context.policy.corruptShare * names.length)
  const corrupt = new Set(names.slice(0, corruptMax))
  const together = exposureOf(world, corrupt)
  for (const { bothOpen } of [alone, together])
    faults.push(...bothOpen.map((name) => `both secrets of ${name} can be opened`))
  const leastHonest = planFor(names.length, names.length, context.policy).quorum - corruptMax
  for (const part of together.readable)
    if (part.length < leastHonest) faults.push(`a sum of only ${part.length} honest participants is readable`)
  if (together.readable.length > 1) faults.push('more than one sum is readable')
  return faults
}

/** The survivor set that participants signed; one at most, with an honest hub. */
function agreedOn(world: World): OrganisationId[] {
  const sets = [...world.clientLogs.values()].flatMap((log) =>
    log.flatMap((event) => (event.type === 'survivors' ? [event.survivors] : [])),
  )
  return (sets[0] ?? []).map(({ organisation }) => organisation)
}

function isOnly(readable: readonly (readonly OrganisationId[])[], survivors: readonly OrganisationId[]): boolean {
  return readable.length === 1 && readable[0]?.join() === survivors.join()
}

function replayFaults(world: World): string[] {
  const server = maskingServer()
  const hub = world.hubLog.reduce((state, event) => server.step(state, event).state, server.initial(''))
  const faults = same(hub, world.hub) ? [] : ['the events of the hub replay to another state']
  for (const [name, log] of world.clientLogs) {
    const client = maskingClient({ organisation: name, secret: identityOf(name) })
    const state = log.reduce((state, event) => client.step(state, event).state, client.initial(''))
    if (!same(state, world.clients.get(name))) faults.push(`the events of ${name} replay to another state`)
  }
  return faults
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)
