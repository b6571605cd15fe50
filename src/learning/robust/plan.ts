/** From the distances of a round's updates to what the second pass has to do: weights, or a statistic of each coordinate. */

import type { RobustConfig } from './config.ts'
import { createGeometry, type Geometry, medianOf, type Point } from './geometry.ts'
import { buckets, type Mixed, nearestNeighbours, unmixed } from './mixing.ts'
import { indices, type Points, type Statistic } from './rule.ts'
import { RULES } from './rules/rules.ts'

export type Plan =
  | {
      readonly kind: 'weights'
      /** By update: the aggregate is their weighted sum. */
      readonly weights: readonly number[]
      readonly clipped: readonly number[]
      readonly leftOut: readonly number[]
      readonly remoteness: readonly number[]
    }
  | {
      readonly kind: 'coordinates'
      readonly statistic: Statistic
      /** Updates to read, and the rows made of them: row-major, rows by sources; null = they are the rows. */
      readonly sources: readonly number[]
      readonly mixing: Float32Array | null
      readonly leftOut: readonly number[]
      /** By update, its median distance to the others, infinite where it is not finite; null = not measured. */
      readonly remoteness: readonly number[] | null
    }

export interface PlanInput {
  readonly config: RobustConfig
  /** Sample counts, by update. */
  readonly sampleCounts: readonly number[]
  /** Draws the buckets. */
  readonly seed: string
}

/** Of a rule that needs no distances: one pass will do. */
export function planWithoutDistances({ config, sampleCounts }: PlanInput): Plan {
  const count = sampleCounts.length
  const combination = RULES[ruleOf(config)].combine(pointsWithoutDistances(count, config.f, sampleCounts), config)
  if (combination.kind !== 'coordinates') throw new TypeError(`${config.rule} needs distances`)
  const { statistic } = combination
  return { kind: 'coordinates', statistic, sources: indices(count), mixing: null, leftOut: [], remoteness: null }
}

/**
 * @param squared - squared distances of all updates and, last, of the origin, row-major, i < j; NaN or infinite where an
 * update is not finite, or so long that its square is not
 */
export function planFromDistances(squared: Float64Array, input: PlanInput): Plan {
  const { config, sampleCounts, seed } = input
  const all = indices(sampleCounts.length)
  const size = all.length + 1
  const alive = all.filter((i) => Number.isFinite(squared[i * size + all.length]))
  const geometry = createGeometry(part(squared, size, [...alive, all.length]), alive.length)
  // Who is not finite is one of those that lie: so many fewer of the others do.
  const f = Math.max(0, config.f - (all.length - alive.length))
  const mixed = mix(geometry, config, f, seed)
  const points = pointsOf(
    geometry,
    mixed,
    f,
    alive.map((i) => sampleCounts[i] ?? 0),
  )
  const combination = RULES[ruleOf(config)].combine(points, config)
  const remoteness = remotenessOf(squared, alive, all.length)
  if (combination.kind === 'coordinates') {
    const rows = combination.points.map((p) => mixed.points[p] ?? geometry.corner(p))
    return { ...coordinatesPlan(combination.statistic, rows, alive, all.length), remoteness }
  }
  const own = weightsOf(combination.weights, mixed.points, geometry.count)
  const weights = all.map((i) => own[alive.indexOf(i)] ?? 0)
  const clipped = [...new Set(combination.clipped.flatMap((p) => mixed.members[p] ?? []))].map((i) => alive[i] ?? 0)
  return {
    kind: 'weights',
    weights,
    clipped: clipped.toSorted((a, b) => a - b),
    leftOut: all.filter((i) => weights[i] === 0),
    remoteness,
  }
}

/** Median distance of each update to the other finite ones. */
function remotenessOf(squared: Float64Array, alive: readonly number[], count: number): number[] {
  const between = (i: number, j: number): number =>
    Math.sqrt(squared[Math.min(i, j) * (count + 1) + Math.max(i, j)] ?? 0)
  return indices(count).map((i) =>
    alive.includes(i) ? medianOf(alive.filter((j) => j !== i).map((j) => between(i, j))) : Infinity,
  )
}

function mix(geometry: Geometry, { mixing, bucketSize }: RobustConfig, f: number, seed: string): Mixed {
  if (mixing === 'nearest-neighbours') return nearestNeighbours(geometry, f)
  return mixing === 'buckets' ? buckets(geometry, bucketSize, seed) : unmixed(geometry)
}

function ruleOf({ rule }: RobustConfig): keyof typeof RULES {
  if (rule === 'none') throw new TypeError('without a rule there is no plan')
  return rule
}

function pointsOf(geometry: Geometry, { points, members }: Mixed, f: number, sampleCounts: readonly number[]): Points {
  const table = geometry.table(points)
  const size = points.length + 1
  return {
    count: points.length,
    f,
    weights: members.map((some) => some.reduce((sum, i) => sum + (sampleCounts[i] ?? 0) / some.length, 0)),
    squared: (i, j) => table[i * size + j] ?? 0,
    squaredNorm: (i) => table[i * size + points.length] ?? 0,
  }
}

function pointsWithoutDistances(count: number, f: number, weights: readonly number[]): Points {
  const missing = (): never => {
    throw new TypeError('this rule is not given distances')
  }
  return { count, f, weights, squared: missing, squaredNorm: missing }
}

/** The table of some of the points. */
function part(squared: Float64Array, size: number, kept: readonly number[]): Float64Array {
  const out = new Float64Array(kept.length * kept.length)
  for (const [a, i] of kept.entries())
    for (const [b, j] of kept.entries()) out[a * kept.length + b] = squared[i * size + j] ?? 0
  return out
}

function weightsOf(combination: readonly number[], points: readonly Point[], count: number): number[] {
  const weights = new Array<number>(count).fill(0)
  for (const [p, weight] of combination.entries())
    if (weight !== 0) for (let i = 0; i < count; i++) weights[i] = (weights[i] ?? 0) + weight * (points[p]?.[i] ?? 0)
  return weights
}

/** Rows that are single updates are read as they are; only real mixtures are multiplied. */
function coordinatesPlan(
  statistic: Statistic,
  rows: readonly Point[],
  alive: readonly number[],
  count: number,
): Omit<Extract<Plan, { kind: 'coordinates' }>, 'remoteness'> {
  const used = indices(alive.length).filter((a) => rows.some((row) => row[a] !== 0))
  const sources = used.map((a) => alive[a] ?? 0)
  const single = used.length === rows.length && rows.every((row, r) => row[used[r] ?? 0] === 1)
  const mixing = Float32Array.from(rows.flatMap((row) => used.map((a) => row[a] ?? 0)))
  const leftOut = indices(count).filter((i) => !sources.includes(i))
  return { kind: 'coordinates', statistic, sources, mixing: single ? null : mixing, leftOut }
}
