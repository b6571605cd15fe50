/**
 * What is true in a number of episodes that run side by side: one byte per episode and slot, row-major. Everything that
 * a step depends on is here, so a copied row replays.
 */

import type { Network } from './network.ts'

/** What red knows of a host. */
export const UNKNOWN = 0
export const KNOWN = 1
export const SCANNED = 2

/** What red holds on a host. A system shell loses confidentiality but is gone with the process, like a user's. */
export const NONE = 0
export const USER = 1
export const SYSTEM_SHELL = 2
export const PRIVILEGED = 3

/** What blue's sensors say of this step, as the two bits of the observation. */
export const QUIET = 0b00
export const SCAN_SEEN = 0b10
export const EXPLOIT_SEEN = 0b11

/** What blue believes of a host, as the two bits of the observation. */
export const CLEAN = 0b00
export const USER_COMPROMISE = 0b01
export const DOUBTFUL = 0b10
export const SYSTEM_COMPROMISE = 0b11

/** Times of scans as blue remembers them. */
export const NEVER_SCANNED = 0
export const SCANNED_BEFORE = 1
export const SCANNED_NOW = 2

const FIELDS = [
  'knowledge',
  'scanOrder',
  'access',
  'impacted',
  'decoysUsed',
  'posing',
  'sticky',
  'activity',
  'belief',
  'scans',
] as const

export interface Batch {
  /** Episodes. */
  readonly size: number
  readonly slots: number
  /** Steps taken in each episode. */
  readonly steps: Uint16Array
  readonly knowledge: Uint8Array
  /** When red scanned the host: 1 for the first that it scanned; 0 for not yet. */
  readonly scanOrder: Uint8Array
  readonly access: Uint8Array
  readonly impacted: Uint8Array
  /** Bit i: the i-th decoy of the host is placed. */
  readonly decoysUsed: Uint8Array
  /** Exploits that a decoy poses for, and those that a sticky one goes on posing for after a restore. */
  readonly posing: Uint8Array
  readonly sticky: Uint8Array
  readonly activity: Uint8Array
  readonly belief: Uint8Array
  readonly scans: Uint8Array
}

/** Episodes at their start: red holds the foothold and knows nothing else. */
export function createBatch(network: Network, size: number): Batch {
  const bytes = (): Uint8Array => new Uint8Array(size * network.slots)
  const batch: Batch = {
    size,
    slots: network.slots,
    steps: new Uint16Array(size),
    knowledge: bytes(),
    scanOrder: bytes(),
    access: bytes(),
    impacted: bytes(),
    decoysUsed: bytes(),
    posing: bytes(),
    sticky: bytes(),
    activity: bytes(),
    belief: bytes(),
    scans: bytes(),
  }
  for (let row = 0; row < size; row++) resetRow(network, batch, row)
  return batch
}

/** Puts one episode back to its start. */
export function resetRow(network: Network, batch: Batch, row: number): void {
  const base = row * batch.slots
  for (const field of FIELDS) batch[field].fill(0, base, base + batch.slots)
  batch.steps[row] = 0
  batch.knowledge[base + network.foothold] = KNOWN
  batch.access[base + network.foothold] = PRIVILEGED
}

export function copyBatch(batch: Batch): Batch {
  const copy = { ...batch, steps: batch.steps.slice() }
  for (const field of FIELDS) copy[field] = batch[field].slice()
  return copy
}
