/**
 * The attackers of CAGE challenge 2. B-line knows the network and goes straight for the target; Meander takes every host
 * that it can before it goes on. Order of preference: CybORG++ README, "CybORG Agents", and its MiniCAGE. Neither
 * keeps a plan: what to do follows from what red knows and holds.
 */

import type { Prng } from '../../base/prng.ts'
import type { Network } from './network.ts'
import { isLegal, RED_SLEEP, type RedAction } from './red.ts'
import { type Batch, NONE, PRIVILEGED, SCANNED, UNKNOWN } from './state.ts'

export const RED_AGENTS = ['b-line', 'meander', 'sleep'] as const
export type RedName = (typeof RED_AGENTS)[number]

/** Chooses red's next action in one episode. */
export type RedAgent = (network: Network, batch: Batch, row: number, random: Prng) => RedAction

export const redAgent = (name: RedName): RedAgent => AGENTS[name]

const AGENTS: Record<RedName, RedAgent> = { 'b-line': bLine, 'meander': meander, 'sleep': () => RED_SLEEP }

/** The first leg of the way that is not done, from the start: a host that was restored is taken again. */
function bLine(network: Network, batch: Batch, row: number): RedAction {
  const base = row * batch.slots
  for (const { kind, at } of network.path) {
    const next = kind === 'scan' ? sweepIfUnknown(network, batch, base, at) : takeHost(batch, base, at)
    if (next !== undefined) return next
  }
  return { kind: 'impact', at: network.target }
}

function sweepIfUnknown(network: Network, batch: Batch, base: number, subnet: number): RedAction | undefined {
  return hasUnknown(network, batch, base, subnet) ? { kind: 'sweep', at: subnet } : undefined
}

const hasUnknown = (network: Network, batch: Batch, base: number, subnet: number): boolean =>
  (network.members[subnet] ?? []).some((slot) => batch.knowledge[base + slot] === UNKNOWN)

function takeHost(batch: Batch, base: number, at: number): RedAction | undefined {
  if (batch.access[base + at] === PRIVILEGED) return undefined
  if (batch.knowledge[base + at] !== SCANNED) return { kind: 'scan', at }
  return { kind: batch.access[base + at] === NONE ? 'exploit' : 'escalate', at }
}

/**
 * Impact before sweeps before scans before escalations before exploits. Which host it scans next is drawn; of those that
 * it can exploit it takes the one scanned first, as CybORG++'s README has it (its MiniCAGE draws there too).
 */
function meander(network: Network, batch: Batch, row: number, random: Prng): RedAction {
  const impact: RedAction = { kind: 'impact', at: network.target }
  if (isLegal(network, batch, row, impact)) return impact
  return (
    sweep(network, batch, row) ??
    drawnScan(network, batch, row, random) ??
    firstEscalation(network, batch, row) ??
    oldestExploit(network, batch, row) ??
    RED_SLEEP
  )
}

function sweep(network: Network, batch: Batch, row: number): RedAction | undefined {
  const at = network.members.findIndex(
    (_, subnet) =>
      isLegal(network, batch, row, { kind: 'sweep', at: subnet }) &&
      hasUnknown(network, batch, row * batch.slots, subnet),
  )
  return at < 0 ? undefined : { kind: 'sweep', at }
}

function firstEscalation(network: Network, batch: Batch, row: number): RedAction | undefined {
  const at = network.present.findIndex((_, slot) => isLegal(network, batch, row, { kind: 'escalate', at: slot }))
  return at < 0 ? undefined : { kind: 'escalate', at }
}

function drawnScan(network: Network, batch: Batch, row: number, random: Prng): RedAction | undefined {
  const legal = legalSlots(network, batch, row, 'scan')
  const at = legal.length === 0 ? undefined : legal[random.below(legal.length)]
  return at === undefined ? undefined : { kind: 'scan', at }
}

function oldestExploit(network: Network, batch: Batch, row: number): RedAction | undefined {
  const age = (at: number): number => batch.scanOrder[row * batch.slots + at] ?? 0
  const [at] = legalSlots(network, batch, row, 'exploit').sort((a, b) => age(a) - age(b))
  return at === undefined ? undefined : { kind: 'exploit', at }
}

function legalSlots(network: Network, batch: Batch, row: number, kind: 'scan' | 'exploit'): number[] {
  const legal: number[] = []
  for (let at = 0; at < batch.slots; at++) if (isLegal(network, batch, row, { kind, at })) legal.push(at)
  return legal
}
