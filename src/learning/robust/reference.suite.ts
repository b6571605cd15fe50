/**
 * The rules once more, written from the equations of their papers over whole vectors in float64, without a thought for
 * speed or memory: what the streamed ones are held to. Distances are taken between vectors, never from a table.
 */

import { prng, shuffle } from '../../base/prng.ts'
import type { RobustConfig } from './config.ts'

type Vector = readonly number[]

const minus = (a: Vector, b: Vector): Vector => a.map((value, i) => value - (b[i] ?? 0))
const norm2 = (a: Vector): number => a.reduce((sum, value) => sum + value * value, 0)
const mean = (vectors: readonly Vector[]): Vector =>
  (vectors[0] ?? []).map((_, i) => vectors.reduce((sum, one) => sum + (one[i] ?? 0), 0) / vectors.length)
const middle = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const half = sorted.length / 2
  return sorted.length % 2 === 1 ? (sorted[Math.floor(half)] ?? 0) : ((sorted[half - 1] ?? 0) + (sorted[half] ?? 0)) / 2
}
const columns = (vectors: readonly Vector[], statistic: (column: number[]) => number): Vector =>
  (vectors[0] ?? []).map((_, i) => statistic(vectors.map((one) => one[i] ?? 0)))

/** Blanchard et al. 2017: s(i) = sum over i -> j of |V_i - V_j|^2. */
function krumOrder(
  vectors: readonly Vector[],
  f: number,
  { neighbours }: RobustConfig,
  tie: (i: number) => number = (i) => i,
): number[] {
  const closest = Math.max(1, vectors.length - f - (neighbours === 'n-f-2' ? 2 : 1))
  const scores = vectors.map((one, i) =>
    vectors
      .filter((_, j) => j !== i)
      .map((other) => norm2(minus(one, other)))
      .sort((a, b) => a - b)
      .slice(0, closest)
      .reduce((sum, distance) => sum + distance, 0),
  )
  return vectors.map((_, i) => i).sort((a, b) => (scores[a] ?? 0) - (scores[b] ?? 0) || tie(a) - tie(b))
}

/** El Mhamdi et al. 2018, section 4. */
function bulyan(vectors: readonly Vector[], f: number, config: RobustConfig): Vector {
  const left = [...vectors]
  const chosen: Vector[] = []
  while (chosen.length < vectors.length - 2 * f) {
    const total = (i: number): number => left.reduce((sum, one) => sum + norm2(minus(one, left[i] ?? [])), 0)
    chosen.push(...left.splice(krumOrder(left, f, config, total)[0] ?? 0, 1))
  }
  const keep = chosen.length - 2 * f
  return columns(chosen, (column) => {
    const centre = middle(column)
    const nearest = column.toSorted((a, b) => Math.abs(a - centre) - Math.abs(b - centre)).slice(0, keep)
    return nearest.reduce((sum, value) => sum + value, 0) / keep
  })
}

/** Pillutla et al. 2022, Algorithm 2. */
function geometricMedian(vectors: readonly Vector[], { iterations }: RobustConfig): Vector {
  let centre = mean(vectors)
  for (let step = 0; step < iterations; step++) {
    const distances = vectors.map((one) => Math.sqrt(norm2(minus(one, centre))))
    const pulls = distances.map((distance) => 1 / Math.max(1e-6 * middle(distances), distance))
    const total = pulls.reduce((sum, pull) => sum + pull, 0)
    centre = centre.map((_, i) => vectors.reduce((sum, one, k) => sum + ((pulls[k] ?? 0) / total) * (one[i] ?? 0), 0))
  }
  return centre
}

/** min(1, bound / length), and 1 where both are 0. */
const within = (length: number, bound: number): number => (length <= bound ? 1 : bound / length)

/** Karimireddy et al. 2021, Algorithm 2. */
function centeredClipping(vectors: readonly Vector[], { iterations, radius }: RobustConfig): Vector {
  let centre: Vector = (vectors[0] ?? []).map(() => 0)
  for (let step = 0; step < iterations; step++) {
    const away = vectors.map((one) => minus(one, centre))
    const distances = away.map((one) => Math.sqrt(norm2(one)))
    const tau = radius ?? middle(distances)
    const drawn = mean(away.map((one, k) => one.map((value) => value * within(distances[k] ?? 0, tau))))
    centre = centre.map((value, i) => value + (drawn[i] ?? 0))
  }
  return centre
}

function normBound(vectors: readonly Vector[], weights: readonly number[], { normMax }: RobustConfig): Vector {
  const lengths = vectors.map((one) => Math.sqrt(norm2(one)))
  const bound = normMax ?? middle(lengths)
  const total = vectors.reduce((sum, _, k) => sum + (weights[k] ?? 0), 0)
  return columns(
    vectors.map((one, k) => one.map((value) => value * within(lengths[k] ?? 0, bound) * (weights[k] ?? 0))),
    (column) => column.reduce((sum, value) => sum + value, 0) / total,
  )
}

/** Allouah et al. 2023, Algorithm 2. */
function nearestNeighbours(vectors: readonly Vector[], f: number): Vector[] {
  return vectors.map((one) =>
    mean(vectors.toSorted((a, b) => norm2(minus(a, one)) - norm2(minus(b, one))).slice(0, vectors.length - f)),
  )
}

/** Karimireddy et al. 2022, Algorithm 1, with the permutation that the seed draws. */
function buckets(vectors: readonly Vector[], size: number, seed: string): Vector[] {
  const order = shuffle(
    vectors.map((_, i) => i),
    prng(`robust/buckets/${seed}`),
  )
  const out: Vector[] = []
  for (let at = 0; at < order.length; at += size)
    out.push(mean(order.slice(at, at + size).map((i) => vectors[i] as Vector)))
  return out
}

/** The aggregate of all vectors, in the order of organisations. */
export function reference(
  all: readonly Vector[],
  sampleCounts: readonly number[],
  config: RobustConfig,
  seed: string,
): Vector {
  const { rule, f, mixing, bucketSize } = config
  const vectors =
    mixing === 'nearest-neighbours'
      ? nearestNeighbours(all, f)
      : mixing === 'buckets'
        ? buckets(all, bucketSize, seed)
        : all
  switch (rule) {
    case 'median':
      return columns(vectors, middle)
    case 'trimmed-mean':
      return columns(vectors, (column) => {
        const kept = column.toSorted((a, b) => a - b).slice(f, column.length - f)
        return kept.reduce((sum, value) => sum + value, 0) / kept.length
      })
    case 'krum':
      return vectors[krumOrder(vectors, f, config)[0] ?? 0] ?? []
    case 'multi-krum':
      return mean(
        krumOrder(vectors, f, config)
          .slice(0, vectors.length - f)
          .map((i) => vectors[i] as Vector),
      )
    case 'bulyan':
      return bulyan(vectors, f, config)
    case 'geometric-median':
      return geometricMedian(vectors, config)
    case 'centered-clipping':
      return centeredClipping(vectors, config)
    case 'norm-bound':
      return normBound(vectors, sampleCounts, config)
    case 'none':
      return mean(vectors)
  }
}
