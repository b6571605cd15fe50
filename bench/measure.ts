/** Timing: several runs, reported as median with the fastest and the slowest, since one figure hides its own noise. */

export interface Timing {
  /** Milliseconds. */
  readonly median: number
  readonly fastest: number
  readonly slowest: number
  readonly runs: number
}

export function summarise(durationsMs: readonly number[]): Timing {
  const sorted = [...durationsMs].sort((a, b) => a - b)
  const at = (index: number): number => sorted[index] ?? Number.NaN
  const middle = (sorted.length - 1) / 2
  const median = (at(Math.floor(middle)) + at(Math.ceil(middle))) / 2
  return { median, fastest: at(0), slowest: at(sorted.length - 1), runs: sorted.length }
}

/** One thing to time; one in another process may measure itself and return milliseconds. */
export type Contender = () => unknown

/** Milliseconds of one run. */
export async function time(work: Contender): Promise<number> {
  const since = performance.now()
  const own = await work()
  return typeof own === 'number' ? own : performance.now() - since
}

/**
 * Times the contenders in turn, `runs` times round, after one round that does not count: whatever else the machine does
 * meanwhile meets all of them. Those that are undefined are not there, and have no timing.
 */
export async function sideBySide<Contenders extends Readonly<Record<string, Contender | undefined>>>(
  contenders: Contenders,
  runs: number,
): Promise<{ [Name in keyof Contenders]: Timing | Extract<Contenders[Name], undefined> }> {
  const present = Object.entries(contenders).flatMap(([name, work]) =>
    work === undefined ? [] : [{ name, work, durations: [] as number[] }],
  )
  for (let round = 0; round <= runs; round++)
    for (const { work, durations } of present) {
      const duration = await time(work)
      if (round > 0) durations.push(duration)
    }
  const timings = Object.fromEntries(present.map(({ name, durations }) => [name, summarise(durations)]))
  return timings as { [Name in keyof Contenders]: Timing | Extract<Contenders[Name], undefined> }
}
