/**
 * What blue can do. An action is one number, so that a policy has one output per action: 0 sleeps, then one block of
 * `slots` each for analyse, decoy, remove and restore (53 actions in the network of CAGE challenge 2).
 */

import type { Network } from './network.ts'
import { type Batch, CLEAN, DOUBTFUL, NONE, PRIVILEGED, QUIET, SYSTEM_COMPROMISE } from './state.ts'

export const BLUE_KINDS = ['analyse', 'decoy', 'remove', 'restore'] as const
export type BlueKind = (typeof BLUE_KINDS)[number]

export interface BlueAction {
  readonly kind: 'sleep' | BlueKind
  readonly at: number
}

export const BLUE_SLEEP = 0
/** Reward of a restore, whatever the host: its users are interrupted. */
export const RESTORE_REWARD = -1

export const actionCount = (slots: number): number => 1 + BLUE_KINDS.length * slots

export const encodeAction = (slots: number, kind: BlueKind, at: number): number =>
  1 + BLUE_KINDS.indexOf(kind) * slots + at

/** The action with this number; undefined when there is none. */
export function decodeAction(slots: number, action: number): BlueAction | undefined {
  if (action === BLUE_SLEEP) return { kind: 'sleep', at: 0 }
  const kind = BLUE_KINDS[Math.floor((action - 1) / slots)]
  return kind === undefined || !Number.isInteger(action) ? undefined : { kind, at: (action - 1) % slots }
}

/** Writes 1 for each action that is legal now and 0 for the others; `mask` has `actionCount` bytes. */
export function writeMask(network: Network, batch: Batch, row: number, mask: Uint8Array): void {
  const { slots } = network
  mask[BLUE_SLEEP] = 1
  BLUE_KINDS.forEach((kind, block) => {
    for (let at = 0; at < slots; at++) mask[1 + block * slots + at] = isAllowed(network, batch, row, kind, at) ? 1 : 0
  })
}

export function isAllowed(network: Network, batch: Batch, row: number, kind: BlueAction['kind'], at: number): boolean {
  if (kind === 'sleep') return true
  if (network.present[at] !== true) return false
  if (kind === 'decoy') return nextDecoy(network, batch, row, at) >= 0
  return kind !== 'restore' || at !== network.foothold
}

/** Position in the host's list of the decoy to place next; -1 when all are placed. */
function nextDecoy(network: Network, batch: Batch, row: number, at: number): number {
  const used = batch.decoysUsed[row * batch.slots + at] ?? 0
  return (network.decoys[at] ?? []).findIndex((_, position) => (used & (1 << position)) === 0)
}

/** The part of blue's action that comes before red's in a step: a restored host is clean when red gets to it. */
export function applyBefore(batch: Batch, row: number, action: BlueAction): void {
  if (action.kind !== 'restore') return
  const slot = row * batch.slots + action.at
  batch.access[slot] = NONE
  batch.impacted[slot] = 0
  batch.decoysUsed[slot] = 0
  batch.posing[slot] = 0
  batch.activity[slot] = QUIET
  batch.belief[slot] = CLEAN
}

/** The part that comes after red's: red throws its exploit before the decoy stands and escalates before the remove. */
export function applyAfter(network: Network, batch: Batch, row: number, action: BlueAction, removable = true): void {
  const slot = row * batch.slots + action.at
  if (action.kind === 'decoy') placeDecoy(network, batch, row, action.at)
  if (action.kind === 'analyse' && batch.access[slot] === PRIVILEGED) batch.belief[slot] = SYSTEM_COMPROMISE
  if (action.kind === 'remove') {
    if (removable && batch.access[slot] !== PRIVILEGED) batch.access[slot] = NONE
    // Blue cannot see whether it worked.
    batch.belief[slot] = DOUBTFUL
  }
}

function placeDecoy(network: Network, batch: Batch, row: number, at: number): void {
  const slot = row * batch.slots + at
  const position = nextDecoy(network, batch, row, at)
  const placed = network.decoys[at]?.[position]
  if (placed === undefined) return
  batch.decoysUsed[slot] = (batch.decoysUsed[slot] ?? 0) | (1 << position)
  batch.posing[slot] = (batch.posing[slot] ?? 0) | placed.pose
  if (placed.sticky) batch.sticky[slot] = (batch.sticky[slot] ?? 0) | placed.pose
}
