/**
 * One step of one episode: blue and red act at once on the same state, and where the two meet a restore comes before
 * red's action, a remove, a decoy and an analysis after it (README of CybORG++, "Action Space", table of priorities).
 */

import type { Prng } from '../../base/prng.ts'
import { applyAfter, applyBefore, type BlueAction, RESTORE_REWARD } from './blue.ts'
import type { Network } from './network.ts'
import { isLegal, land, RED_SLEEP, throwExploit } from './red.ts'
import type { RedAgent } from './red-agents.ts'
import { rememberScans, sense } from './sensors.ts'
import { type Batch, NONE, PRIVILEGED, SYSTEM_SHELL } from './state.ts'

/**
 * What a remove takes. 'any': also the shell that red opens in this very step, as in MiniCAGE, so that removing from a host
 * again and again keeps red out for nothing. 'standing': what stood before the step, as sensors must have found a process
 * before anyone can end it.
 */
export const REMOVALS = ['any', 'standing'] as const
export type Removal = (typeof REMOVALS)[number]

/** Plays a step in place and returns its reward. Red's exploit meets the decoys that stood before blue's action. */
export function advance(
  network: Network,
  red: RedAgent,
  batch: Batch,
  row: number,
  blue: BlueAction,
  random: Prng,
  removal: Removal = 'any',
): number {
  const removable = removal === 'any' || batch.access[row * batch.slots + blue.at] !== NONE
  const wanted = red(network, batch, row, random)
  const possible = isLegal(network, batch, row, wanted)
  const thrown =
    possible && wanted.kind === 'exploit' ? throwExploit(network, batch, row, wanted.at, random) : undefined

  applyBefore(batch, row, blue)
  // What red wanted may have needed what a restore has just taken from it.
  const held = possible && isLegal(network, batch, row, wanted)
  if (held) land(network, batch, row, wanted, thrown)
  sense(network, batch, row, held ? wanted : RED_SLEEP, held ? thrown : undefined, random)
  applyAfter(network, batch, row, blue, removable)
  rememberScans(batch, row)
  batch.steps[row] = (batch.steps[row] ?? 0) + 1
  return (blue.kind === 'restore' ? RESTORE_REWARD : 0) - loss(network, batch, row)
}

/** Confidentiality lost where red has the system account, availability where an impact was not undone. */
function loss(network: Network, batch: Batch, row: number): number {
  let total = 0
  for (let at = 0; at < batch.slots; at++) {
    const slot = row * batch.slots + at
    if (batch.access[slot] === PRIVILEGED || batch.access[slot] === SYSTEM_SHELL)
      total += network.confidentialityLoss[at] ?? 0
    if (batch.impacted[slot] === 1) total += network.availabilityLoss[at] ?? 0
  }
  return total
}
