/**
 * Krum and multi-Krum: Blanchard, El Mhamdi, Guerraoui, Stainer 2017, section 4. The score of an update is the sum of the
 * squared distances to its nearest neighbours; the update of the least score wins, or the mean of the best n - f. Of equal
 * scores the first in the order of organisations is taken.
 */

import type { RobustConfig } from '../config.ts'
import { indices, type Points, type RobustRule } from '../rule.ts'

type Neighbours = RobustConfig['neighbours']

/** Scores among `candidates`, of which f may be false. */
export function krumScores(points: Points, candidates: readonly number[], f: number, neighbours: Neighbours): number[] {
  const count = Math.max(1, candidates.length - f - (neighbours === 'n-f-2' ? 2 : 1))
  return candidates.map((i) =>
    Float64Array.from(candidates.filter((j) => j !== i).map((j) => points.squared(i, j)))
      .sort()
      .subarray(0, count)
      .reduce((sum, distance) => sum + distance, 0),
  )
}

/** Candidates by their scores, the best first. */
export function ranked(
  candidates: readonly number[],
  scores: readonly number[],
  tie: (candidate: number) => number = () => 0,
): number[] {
  const candidate = (at: number): number => candidates[at] ?? 0
  return indices(candidates.length)
    .sort((a, b) => (scores[a] ?? 0) - (scores[b] ?? 0) || tie(candidate(a)) - tie(candidate(b)) || a - b)
    .map(candidate)
}

function meanOfBest(points: Points, selected: number, neighbours: Neighbours): RobustSelection {
  const all = indices(points.count)
  const best = ranked(all, krumScores(points, all, points.f, neighbours)).slice(0, selected)
  const weights = all.map((i) => (best.includes(i) ? 1 / selected : 0))
  return { kind: 'weights', weights, clipped: [] }
}

type RobustSelection = ReturnType<RobustRule['combine']>

export const krum: RobustRule = {
  name: 'krum',
  usesDistances: true,
  combine: (points, { neighbours }) => meanOfBest(points, 1, neighbours),
}

export const multiKrum: RobustRule = {
  name: 'multi-krum',
  usesDistances: true,
  combine: (points, { neighbours }) => meanOfBest(points, points.count - points.f, neighbours),
}
