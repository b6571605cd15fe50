/** Surprise of a pair by how often it met: -log of its smoothed share of all that was seen before. */

import { pairKey } from './pair-key.ts'
import type { StreamScorer } from './stream-scorer.ts'

export interface PairCounts {
  count(source: number, destination: number): number
  add(source: number, destination: number): void
}

export function createPairCounts(): PairCounts {
  const counts = new Map<number, number>()
  const count = (source: number, destination: number): number => counts.get(pairKey(source, destination)) ?? 0
  return {
    count,
    add: (source, destination) => void counts.set(pairKey(source, destination), count(source, destination) + 1),
  }
}

/** -log((c + 1) / (n + 1)), Laplace's rule with c of n interactions so far between these two. */
export function createPairFrequency(): StreamScorer {
  const counts = createPairCounts()
  let seen = 0
  return {
    score(_tick, source, destination) {
      const surprise = Math.log1p(seen) - Math.log1p(counts.count(source, destination))
      counts.add(source, destination)
      seen++
      return surprise
    },
  }
}
