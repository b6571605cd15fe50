/**
 * Robust aggregation where single updates are hidden: organisations are put into buckets, each bucket is summed securely,
 * and a rule looks at the means of the buckets (Karimireddy, He, Jaggi 2022, Algorithm 1, with secure sums inside).
 *
 * 1. The partition is public and anybody recomputes it: it follows from the organisations, the round's id and a seed.
 * 2. Nothing that is promised rests on the seed. Robustness counts each liar as a bucket of its own, the worst that a
 *    partition can do; secrecy asks for buckets in which, whoever the colluding are, two others are left.
 */

import { fail } from '../../base/errors.ts'
import { digestOf } from '../../base/hash.ts'
import type { Digest, OrganisationId, RoundId } from '../../base/ids.ts'
import { prng, shuffle } from '../../base/prng.ts'
import { type RobustConfig, vectorsMin } from './config.ts'

/** With one organisation in league with the hub, the sum of three still hides two honest ones behind each other. */
export const BUCKET_MIN = 3

export interface BucketPolicy {
  /** Fewest organisations in a bucket. */
  readonly bucketMin: number
  /** Organisations of one bucket that may be in league with the hub. */
  readonly colluding: number
}

export const DEFAULT_BUCKETS: BucketPolicy = { bucketMin: BUCKET_MIN, colluding: 1 }

/**
 * The public seed. The base model is what the round before came to, which nobody chooses alone; the id is the hub's, which
 * may try again and again: that is why no promise rests on it.
 */
export function bucketSeed(round: RoundId, baseModel: Digest): Digest {
  return digestOf({ purpose: 'robust/secure-buckets', round, base_model: baseModel })
}

export interface BucketPlan {
  /** Sorted by their first organisation; each sorted. Sizes differ by at most one. */
  readonly buckets: readonly (readonly OrganisationId[])[]
  /** Liars, each in a bucket of its own, that the rule withstands. */
  readonly withstands: number
}

/** @throws invalid-request where the rule cannot work, with what to change */
export function planBuckets(
  organisations: readonly OrganisationId[],
  config: RobustConfig,
  seed: Digest,
  policy: BucketPolicy = DEFAULT_BUCKETS,
): BucketPlan {
  const problem = bucketsProblem(config, organisations.length, policy)
  if (problem !== undefined) fail('invalid-request', problem)
  const count = Math.floor(organisations.length / policy.bucketMin)
  const order = shuffle([...new Set(organisations)].toSorted(), prng(`robust/secure-buckets/${seed}`))
  const buckets = Array.from({ length: count }, (_, b) => order.filter((_name, i) => i % count === b).toSorted())
  const first = ([name = '']: readonly string[]): string => name
  return {
    buckets: buckets.toSorted((a, b) => (first(a) < first(b) ? -1 : 1)),
    withstands: bucketsWithstand(config, count),
  }
}

/** The most liars that a rule withstands among so many buckets; 0 also where it needs more buckets for a single one. */
export function bucketsWithstand({ rule }: Pick<RobustConfig, 'rule'>, buckets: number): number {
  if (rule === 'none' || rule === 'norm-bound') return 0
  let f = 0
  while (vectorsMin(rule, f + 1) <= buckets) f++
  return f
}

/** Fewest organisations whose buckets are as many as a rule needs. */
export function bucketedMin({ rule, f }: Pick<RobustConfig, 'rule' | 'f'>, bucketMin = BUCKET_MIN): number {
  return Math.max(2, vectorsMin(rule, f)) * bucketMin
}

/** Why so many organisations cannot be aggregated so, with what to do; undefined if they can. */
export function bucketsProblem(
  config: RobustConfig,
  organisations: number,
  { bucketMin, colluding }: BucketPolicy = DEFAULT_BUCKETS,
): string | undefined {
  const { rule, f, mixing } = config
  if (rule === 'none') return 'buckets need a robust.rule that looks at their means'
  if (!Number.isInteger(bucketMin) || bucketMin < Math.max(BUCKET_MIN, colluding + 2))
    return `a bucket needs at least ${Math.max(BUCKET_MIN, colluding + 2)} organisations: ${colluding} may tell the hub what they sent, and then two others must remain`
  if (mixing !== 'none')
    return `robust.mixing ${mixing} has no place under secure aggregation: the buckets are the mixture`
  const [buckets, needed] = [Math.floor(organisations / bucketMin), vectorsMin(rule, f)]
  if (buckets >= Math.max(2, needed)) return undefined
  const most = bucketsWithstand(config, buckets)
  const advice = most > 0 ? `, or lower robust.f to ${most}` : ''
  return `${rule} against ${f} needs ${Math.max(2, needed)} buckets of at least ${bucketMin}, so ${Math.max(2, needed) * bucketMin} organisations, and there are ${organisations}: invite more${advice}, or see single updates with protection plain`
}
