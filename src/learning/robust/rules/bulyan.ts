/**
 * Bulyan over Krum: El Mhamdi, Guerraoui, Rouault 2018, section 4. Krum picks theta = n - 2f updates one after the other,
 * each time among those that are left; then, for each coordinate, the mean of the theta - 2f values nearest to the median.
 * Towards the end one neighbour counts, and two that are each other's nearest have the same score: then the one nearer to
 * all counts, where the paper leaves it open, so that names decide nothing.
 */

import type { RobustConfig } from '../config.ts'
import { indices, type Points, type RobustRule } from '../rule.ts'
import { krumScores, ranked } from './krum.ts'

export const bulyan: RobustRule = {
  name: 'bulyan',
  usesDistances: true,
  combine(points, { neighbours }) {
    const chosen = select(points, points.count - 2 * points.f, neighbours)
    const keep = Math.max(1, chosen.length - 2 * points.f)
    return { kind: 'coordinates', points: chosen.toSorted((a, b) => a - b), statistic: { name: 'window-mean', keep } }
  },
}

function select(points: Points, count: number, neighbours: RobustConfig['neighbours']): number[] {
  const chosen: number[] = []
  let left = indices(points.count)
  while (chosen.length < count) {
    const among = left
    const total = (i: number): number => among.reduce((sum, j) => sum + (i === j ? 0 : points.squared(i, j)), 0)
    const [best = 0] = ranked(left, krumScores(points, left, points.f, neighbours), total)
    chosen.push(best)
    left = left.filter((one) => one !== best)
  }
  return chosen
}
