/**
 * Slots for masking in place, which are kept from one update to the next: memory that is touched for the first time, and
 * collected afterwards, takes longer than what is done in it. What is left in them is masked.
 */

import type { Slot } from './range-work.ts'

/** Of an update to a slot: a thread begins as soon as that much was read. Less would mean more openings of ciphers. */
export const SLOT_BYTES = 2 << 20

export interface Slots {
  take(count: number): Slot[]
  /** Only when no thread works in them any more. */
  giveBack(slots: readonly Slot[]): void
}

/** @param most - that are kept; updates that are masked at the same time take more */
export function createSlots(most: number): Slots {
  const kept: Slot[] = []
  const fresh = (): Slot => {
    const memory = new SharedArrayBuffer(SLOT_BYTES)
    return { input: memory, output: memory }
  }
  return {
    take: (count) => Array.from({ length: count }, () => kept.pop() ?? fresh()),
    giveBack: (slots) => void kept.push(...slots.slice(0, most - kept.length)),
  }
}
