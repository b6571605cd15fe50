/** Said loudly wherever a training hides nothing: by the command that starts it, by the hub, and by each organisation. */

import type { DriveLog } from './drive.ts'

/** What whoever starts such a training is to know; undefined where updates are hidden. */
export function inTheClear(protection: unknown): string | undefined {
  if (protection !== 'plain') return undefined
  return 'protection "plain": the hub reads the update of every organisation that takes part'
}

export function warnInTheClear(log: DriveLog | undefined, protection: unknown, details: object): void {
  const warning = inTheClear(protection)
  if (warning !== undefined) log?.warn(details, warning)
}
