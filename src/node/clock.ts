import type { Clock } from './ports.ts'

/** The clock of the operating system. */
export const systemClock: Clock = { now: () => Date.now() }
