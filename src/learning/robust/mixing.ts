/** What happens to updates before a rule sees them: each becomes a mean of several, as a point over the same distances. */

import { prng, shuffle } from '../../base/prng.ts'
import type { Geometry, Point } from './geometry.ts'
import { indices } from './rule.ts'

export interface Mixed {
  readonly points: readonly Point[]
  /** Organisations behind each point. */
  readonly members: readonly (readonly number[])[]
}

/** The updates themselves. */
export function unmixed(geometry: Geometry): Mixed {
  const all = indices(geometry.count)
  return { points: all.map((i) => geometry.corner(i)), members: all.map((i) => [i]) }
}

/** Allouah et al. 2023, Algorithm 2 (NNM): each update becomes the mean of the n - f updates nearest to it, itself included. */
export function nearestNeighbours(geometry: Geometry, f: number): Mixed {
  const all = indices(geometry.count)
  const corners = all.map((i) => geometry.corner(i))
  const table = geometry.table(corners)
  const size = geometry.count + 1
  const members = all.map((i) =>
    all
      .toSorted((a, b) => nearness(i, a) - nearness(i, b) || a - b)
      .slice(0, Math.max(1, geometry.count - f))
      .toSorted((a, b) => a - b),
  )
  return { points: members.map((some) => meanPoint(geometry, some)), members }

  function nearness(i: number, j: number): number {
    return i === j ? -1 : (table[i * size + j] ?? 0)
  }
}

/**
 * Karimireddy, He, Jaggi 2022, Algorithm 1: the mean of each bucket of a random partition. The order comes from the seed of
 * the training and the round, so that every machine draws the same buckets.
 */
export function buckets(geometry: Geometry, bucketSize: number, seed: string): Mixed {
  const order = shuffle(indices(geometry.count), prng(`robust/buckets/${seed}`))
  const members: number[][] = []
  for (let at = 0; at < order.length; at += bucketSize)
    members.push(order.slice(at, at + bucketSize).toSorted((a, b) => a - b))
  return { points: members.map((some) => meanPoint(geometry, some)), members }
}

function meanPoint(geometry: Geometry, members: readonly number[]): Point {
  const point = new Float64Array(geometry.count + 1)
  for (const i of members) point[i] = 1 / members.length
  return point
}
