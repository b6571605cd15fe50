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

/** Milliseconds of one run. */
export async function time(work: () => unknown): Promise<number> {
  const since = performance.now()
  await work()
  return performance.now() - since
}

/**
 * Times the contenders in turn, `runs` times round, after one round that does not count: whatever else the machine does
 * meanwhile meets all of them.
 */
export async function sideBySide<Name extends string>(
  contenders: Readonly<Record<Name, () => unknown>>,
  runs: number,
): Promise<Record<Name, Timing>> {
  const names = Object.keys(contenders) as Name[]
  const durations = new Map<Name, number[]>(names.map((name) => [name, []]))
  for (let round = 0; round <= runs; round++)
    for (const name of names) {
      const duration = await time(contenders[name])
      if (round > 0) durations.get(name)?.push(duration)
    }
  return Object.fromEntries(names.map((name) => [name, summarise(durations.get(name) ?? [])])) as Record<Name, Timing>
}
