/** What a run of the bench gives, as results.json has it. */

import type { Measured } from '../secagg/timing.ts'

export interface Contender {
  readonly name: string
  readonly figure: Measured
  /** Most memory of its process, in MiB. */
  readonly peakMiB?: number
  readonly note?: string
}

/** One thing that ours and a peer do, in turn. */
export interface Comparison {
  readonly what: string
  readonly ours: readonly Contender[]
  /** Empty where the peer could not be installed. */
  readonly peers: readonly Contender[]
  /** How many times as fast the first of ours is to be as the fastest of the peers, by the clock. */
  readonly aim?: number
}

export interface Floor {
  readonly what: string
  readonly work: Measured
  readonly floor: Measured
  /** On one thread the time of the processor is the same, and steadier. */
  readonly by: 'processor' | 'wall'
  readonly aim: number
}

export interface Phase {
  readonly name: string
  readonly figure: Measured
  readonly bytes?: string
}

export interface PhaseTable {
  readonly title: string
  readonly setting: string
  readonly phases: readonly Phase[]
}

export interface Results {
  readonly at: string
  readonly machine: string
  /** Processes ready to run in the minute before, and in the last minute. */
  readonly load: readonly [number, number]
  readonly versions: Readonly<Record<string, string>>
  readonly seeds: string
  readonly secagg: readonly { readonly title: string; readonly setting: string; readonly rows: readonly Comparison[] }[]
  readonly floors: readonly Floor[]
  readonly phases: readonly PhaseTable[]
  readonly robust: { readonly setting: string; readonly rows: readonly Comparison[] } | null
  readonly seconds: number
  /** Why the peers are not there. */
  readonly skipped: string | null
}

export interface Ratio {
  readonly wall: number
  readonly processor: number
  readonly peer: string
}

/** How many times as long the fastest peer takes as the given contender of ours. */
export function ratioOf({ ours, peers }: Comparison, at = 0): Ratio | undefined {
  const own = ours[at]
  const fastest = peers.toSorted((a, b) => a.figure.wall.median - b.figure.wall.median)[0]
  if (own === undefined || fastest === undefined) return undefined
  return {
    wall: fastest.figure.wall.median / own.figure.wall.median,
    processor: fastest.figure.processor.median / own.figure.processor.median,
    peer: fastest.name,
  }
}

/** By the clock, the best of ours (one thread or several) against the fastest peer, which takes all threads it likes. */
export function bestRatio(comparison: Comparison): Ratio | undefined {
  const all = comparison.ours.flatMap((_, i) => ratioOf(comparison, i) ?? [])
  return all.toSorted((a, b) => b.wall - a.wall)[0]
}

export const timesOf = ({ work, floor, by }: Floor): number => work[by].median / floor[by].median
