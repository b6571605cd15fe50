/** What red can do, when it can, and what comes of it (CAGE challenge 2, "Developer's Guide", red actions). */

import type { Prng } from '../../base/prng.ts'
import { EXPLOITS } from './catalogue.ts'
import type { Network } from './network.ts'
import { type Batch, KNOWN, NONE, PRIVILEGED, SCANNED, SYSTEM_SHELL, UNKNOWN, USER } from './state.ts'

/** `at` is a subnet for 'sweep' (which hosts are there), and else a slot. */
export interface RedAction {
  readonly kind: 'sleep' | 'sweep' | 'scan' | 'exploit' | 'escalate' | 'impact'
  readonly at: number
}

export const RED_SLEEP: RedAction = { kind: 'sleep', at: 0 }

/** An exploit that was thrown: its bit, and whether it meets a service that yields. */
export interface Throw {
  readonly exploit: number
  readonly lands: boolean
}

/** Chance that red throws the exploit that it prefers; else any other that seems open. */
export const PREFERRED = 0.75
export const BRUTE_FORCE = 1 << EXPLOITS.indexOf('ssh-brute-force')

/** True when red has what the action needs in this state; what is not legal has no effect. */
export function isLegal(network: Network, batch: Batch, row: number, action: RedAction): boolean {
  const slot = row * batch.slots + action.at
  switch (action.kind) {
    case 'sleep':
      return true
    case 'sweep':
      return holdsPrivilege(network, batch, row, action.at)
    case 'scan':
      return batch.knowledge[slot] === KNOWN && hasRoute(network, batch, row, action.at)
    case 'exploit':
      return isOpen(network, batch, row, action.at) && hasRoute(network, batch, row, action.at)
    case 'escalate':
      return batch.access[slot] === USER || batch.access[slot] === SYSTEM_SHELL
    case 'impact':
      return batch.access[slot] === PRIVILEGED
  }
}

function isOpen(network: Network, batch: Batch, row: number, at: number): boolean {
  const slot = row * batch.slots + at
  return batch.knowledge[slot] === SCANNED && batch.access[slot] === NONE && network.hosts[at]?.role !== 'fortress'
}

/** Red acts on a host over the network from one that it holds, in a subnet that the host's subnet accepts. */
export function hasRoute(network: Network, batch: Batch, row: number, at: number): boolean {
  const base = row * batch.slots
  const accepted = network.reachFrom[network.subnetOf[at] ?? 0] ?? 0
  for (let slot = 0; slot < batch.slots; slot++) {
    if (batch.access[base + slot] !== NONE && (accepted & (1 << (network.subnetOf[slot] ?? 0))) !== 0) return true
  }
  return false
}

export function holdsPrivilege(network: Network, batch: Batch, row: number, subnet: number): boolean {
  return (network.members[subnet] ?? []).some((slot) => batch.access[row * batch.slots + slot] === PRIVILEGED)
}

/** Picks an exploit among what seems open, decoys included, and says whether it lands. */
export function throwExploit(network: Network, batch: Batch, row: number, at: number, random: Prng): Throw {
  const slot = row * batch.slots + at
  const decoys = (batch.posing[slot] ?? 0) | (batch.sticky[slot] ?? 0)
  const seeming = (network.services[at] ?? 0) | decoys
  const preferred = seeming & -seeming
  const others = seeming & ~preferred
  const exploit = random.uniform() < PREFERRED || others === 0 ? preferred : pick(others, random)
  const dead = (network.deadServices[at] ?? 0) | decoys
  return { exploit, lands: exploit !== 0 && (exploit & dead) === 0 }
}

/** One of the set bits, each as likely. */
function pick(mask: number, random: Prng): number {
  let left = random.below(popCount(mask))
  let rest = mask
  while (left-- > 0) rest &= rest - 1
  return rest & -rest
}

export function popCount(mask: number): number {
  let count = 0
  for (let rest = mask; rest !== 0; rest &= rest - 1) count++
  return count
}

/** Lets a legal action take effect. */
export function land(network: Network, batch: Batch, row: number, action: RedAction, thrown: Throw | undefined): void {
  const base = row * batch.slots
  const slot = base + action.at
  switch (action.kind) {
    case 'sleep':
      return
    case 'sweep':
      return learn(batch, base, network.members[action.at] ?? [])
    case 'scan':
      batch.knowledge[slot] = SCANNED
      batch.scanOrder[slot] = 1 + Math.max(...batch.scanOrder.subarray(base, base + batch.slots))
      return
    case 'exploit':
      if (thrown?.lands !== true) return
      batch.access[slot] = (thrown.exploit & (network.systemServices[action.at] ?? 0)) !== 0 ? SYSTEM_SHELL : USER
      return
    case 'escalate':
      batch.access[slot] = PRIVILEGED
      return learn(batch, base, network.reveals[action.at] ?? [])
    case 'impact':
      batch.impacted[slot] = 1
  }
}

function learn(batch: Batch, base: number, slots: readonly number[]): void {
  for (const slot of slots) if (batch.knowledge[base + slot] === UNKNOWN) batch.knowledge[base + slot] = KNOWN
}
