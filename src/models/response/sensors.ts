/**
 * What blue gets to see: scans and most exploits of this step, mixed with the connections of the organisation's own
 * users, and what it believes of each host. Rates: CybORG++ README, "Observation Space".
 *
 * Observation: `slots` x 4 bits [activity, activity, belief, belief] (52 in the network of CAGE challenge 2), then per
 * slot when it was scanned (0 never, 1 before, 2 now), then per slot how many decoys can still be placed.
 */

import type { Prng } from '../../base/prng.ts'
import type { Network } from './network.ts'
import { BRUTE_FORCE, popCount, type RedAction, type Throw } from './red.ts'
import {
  type Batch,
  EXPLOIT_SEEN,
  NEVER_SCANNED,
  QUIET,
  SCAN_SEEN,
  SCANNED_BEFORE,
  SCANNED_NOW,
  USER_COMPROMISE,
} from './state.ts'

/** Chance that a user connects somewhere in a step. */
const GREEN_ACTIVE = 0.5
/** Chance that a successful exploit is not seen; brute force always is. */
const EXPLOIT_MISSED = 0.05

const FEATURES_PER_SLOT = 6

/** Numbers in an observation. */
export const observationSize = (slots: number): number => FEATURES_PER_SLOT * slots

/** The host that a user connects to in this step; -1 for none. */
export function drawGreen(network: Network, random: Prng): number {
  if (network.green.length === 0 || random.uniform() >= GREEN_ACTIVE) return -1
  return network.green[random.below(network.green.length)] ?? -1
}

/** Forgets the activity of the last step and records that of this one. `action` is what red did, if it had effect. */
export function sense(
  network: Network,
  batch: Batch,
  row: number,
  action: RedAction,
  thrown: Throw | undefined,
  random: Prng,
): void {
  const base = row * batch.slots
  const slot = base + action.at
  const green = drawGreen(network, random)
  batch.activity.fill(QUIET, base, base + batch.slots)
  if (green >= 0) batch.activity[base + green] = SCAN_SEEN
  if (action.kind === 'scan') batch.activity[slot] = SCAN_SEEN
  if (thrown?.lands === true && isSeen(network, batch, row, action.at, thrown, green, random)) {
    batch.activity[slot] = EXPLOIT_SEEN
    batch.belief[slot] = USER_COMPROMISE
  }
}

function isSeen(
  network: Network,
  batch: Batch,
  row: number,
  at: number,
  thrown: Throw,
  green: number,
  random: Prng,
): boolean {
  if (network.hosts[at]?.alwaysSeen === true && batch.posing[row * batch.slots + at] === 0) return true
  if (thrown.exploit === BRUTE_FORCE) return true
  // An exploit hides in the traffic of a user who connects to the same host.
  return random.uniform() >= EXPLOIT_MISSED && green !== at
}

/** Ages what blue remembers of scans; after everything else in a step. */
export function rememberScans(batch: Batch, row: number): void {
  for (let slot = row * batch.slots; slot < (row + 1) * batch.slots; slot++) {
    if (((batch.activity[slot] ?? 0) & SCAN_SEEN) !== 0) batch.scans[slot] = SCANNED_NOW
    else if (batch.scans[slot] !== NEVER_SCANNED) batch.scans[slot] = SCANNED_BEFORE
  }
}

/** Writes the observation of one episode at `offset`. */
export function writeObservation(network: Network, batch: Batch, row: number, out: Float32Array, offset: number): void {
  const { slots } = batch
  for (let at = 0; at < slots; at++) {
    const slot = row * slots + at
    const activity = batch.activity[slot] ?? 0
    const belief = batch.belief[slot] ?? 0
    out[offset + 4 * at] = activity >> 1
    out[offset + 4 * at + 1] = activity & 1
    out[offset + 4 * at + 2] = belief >> 1
    out[offset + 4 * at + 3] = belief & 1
    out[offset + 4 * slots + at] = batch.scans[slot] ?? 0
    out[offset + 5 * slots + at] = (network.decoys[at]?.length ?? 0) - popCount(batch.decoysUsed[slot] ?? 0)
  }
}
