/** Timing by the clock and of the processor, which other programs disturb less. */

import { summarise, type Timing } from '../measure.ts'

/** Milliseconds of one run. */
export interface Taken {
  readonly wall: number
  readonly processor: number
}

export interface Measured {
  readonly wall: Timing
  readonly processor: Timing
}

export function measuredOf(all: readonly Taken[]): Measured {
  return {
    wall: summarise(all.map(({ wall }) => wall)),
    processor: summarise(all.map(({ processor }) => processor)),
  }
}

/** Measures itself, as one in another process does, or is measured. */
export type Work = () => Taken | unknown

export async function takeTime(work: Work): Promise<Taken> {
  const before = process.cpuUsage()
  const since = performance.now()
  const own = await work()
  const wall = performance.now() - since
  const { user, system } = process.cpuUsage(before)
  return isTaken(own) ? own : { wall, processor: (user + system) / 1000 }
}

const isTaken = (value: unknown): value is Taken =>
  typeof value === 'object' && value !== null && 'wall' in value && 'processor' in value

/** In turn, `runs` times round, after one round that does not count: what else the machine does meets all of them. */
export async function inTurn<Name extends string>(
  runs: number,
  works: Readonly<Record<Name, Work>>,
  warmUps = 1,
): Promise<Record<Name, Measured>> {
  const names = Object.keys(works) as Name[]
  const taken = names.map((): Taken[] => [])
  for (let round = -warmUps; round < runs; round++)
    for (const [i, name] of names.entries()) {
      const one = await takeTime(works[name])
      if (round >= 0) taken[i]?.push(one)
    }
  return Object.fromEntries(names.map((name, i) => [name, measuredOf(taken[i] ?? [])])) as Record<Name, Measured>
}
