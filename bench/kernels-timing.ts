/** Milliseconds of one of several repetitions: contenders of {@link sideBySide}. */

import type { Contender } from './measure.ts'

/** Processor time, of everything that this process does meanwhile: other programs disturb it less than the clock. */
export function perRepeat(work: () => unknown, repeats: number): Contender {
  return async () => {
    const since = process.cpuUsage()
    for (let repeat = 0; repeat < repeats; repeat++) await work()
    const { user, system } = process.cpuUsage(since)
    return (user + system) / 1000 / repeats
  }
}

/** By the clock, as several threads have to be timed. */
export function perRepeatByClock(work: () => unknown, repeats: number): Contender {
  return async () => {
    const since = performance.now()
    for (let repeat = 0; repeat < repeats; repeat++) await work()
    return (performance.now() - since) / repeats
  }
}

export const TIMES = 'one thread and its processor time, two threads by the clock'
