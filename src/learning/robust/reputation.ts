/**
 * What the rounds so far say about an organisation: a number that moves slowly, and why it stands where it does. It
 * follows from sealed blocks alone, so everybody computes everybody's and gets the same, and what was sealed stays. Whom a
 * block flags is the hub's word: those who sign it see that the lists are well-formed (recorded.ts), not that they are true.
 *
 * 1. A round moves it by at most {@link RATE}: one bad round costs little, and one good round repairs little.
 * 2. Every fall has a reason that is kept; nobody falls for what others did.
 * 3. It excludes nobody. Who is worth a look is named, and a person or a policy of the federation decides.
 */

import type { OrganisationId } from '../../base/ids.ts'
import type { Block } from '../../ledger/block.ts'
import type { SignName } from './signs.ts'

export interface Reason {
  readonly round: string
  readonly sign: SignName
  /** How far the score fell for it. */
  readonly cost: number
}

export interface Reputation {
  /** From 0 to 1. */
  readonly score: number
  /** In which somebody looked. */
  readonly rounds: number
  /** The last ones, oldest first. */
  readonly reasons: readonly Reason[]
}

/** Of the distance to 0 or to 1 that one round can make good or bad: half of it takes fourteen rounds in a row. */
export const RATE = 0.05
/** Nobody is known to be good or bad. */
export const UNKNOWN: Reputation = { score: 0.5, rounds: 0, reasons: [] }
const REASONS_KEPT = 32

/** What one round says of one organisation. */
export interface Observation {
  readonly round: string
  /** Nothing unusual = empty. */
  readonly signs: readonly SignName[]
  /** How many stood behind what was measured: the sum of a bucket of three says a third about each. */
  readonly among?: number
}

/** Several signs of one round count once: they are one event. */
export function observe(before: Reputation, { round, signs, among = 1 }: Observation): Reputation {
  const rate = RATE / Math.max(1, among)
  const target = signs.length === 0 ? 1 : 0
  const score = before.score + rate * (target - before.score)
  const cost = signs.length === 0 ? 0 : (before.score - score) / signs.length
  const reasons = signs.map((sign) => ({ round, sign, cost }))
  return { score, rounds: before.rounds + 1, reasons: [...before.reasons, ...reasons].slice(-REASONS_KEPT) }
}

/** Seven bad rounds from unknown, twenty-one from the best name. */
const WORTH_A_LOOK = 0.35

/** Whether a person should look: so low a score is of many rounds, and the reasons say which. */
export function isWorthALook({ score }: Reputation): boolean {
  return score < WORTH_A_LOOK
}

type Sealed = Pick<Block, 'aggregation_metrics' | 'provenance'>

/** What a block says of its participants; undefined where no rule looked. */
export function observationsOf({
  aggregation_metrics: metrics,
  provenance,
}: Sealed): ReadonlyMap<OrganisationId, Observation> | undefined {
  if (typeof metrics['robust_rule'] !== 'string') return undefined
  const buckets = metrics['buckets'] as readonly (readonly number[])[] | undefined
  const { participants, round_id: round } = provenance
  return new Map(
    participants.flatMap(({ org_id }, position): [OrganisationId, Observation][] => {
      if (buckets === undefined) return [[org_id, { round, signs: signsAt(metrics, 'robust', position) }]]
      // Of a bucket that stands out nobody can say which of its organisations does.
      const at = buckets.findIndex((bucket) => bucket.includes(position))
      const among = buckets[at]?.length
      return among === undefined ? [] : [[org_id, { round, signs: signsAt(metrics, 'bucket', at), among }]]
    }),
  )
}

function signsAt(metrics: Sealed['aggregation_metrics'], of: 'robust' | 'bucket', at: number): Observation['signs'] {
  return (['flagged', 'against'] as const).filter((sign) => {
    const positions: unknown = metrics[`${of}_${sign}`]
    return Array.isArray(positions) && positions.includes(at)
  })
}

/** Everybody's reputation after these blocks, in the order of the ledger, on top of what was known before. */
export function reputationsAfter(
  blocks: Iterable<Sealed>,
  before: ReadonlyMap<OrganisationId, Reputation> = new Map(),
): Map<OrganisationId, Reputation> {
  const known = new Map(before)
  for (const block of blocks)
    for (const [organisation, observation] of observationsOf(block) ?? [])
      known.set(organisation, observe(known.get(organisation) ?? UNKNOWN, observation))
  return new Map([...known].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
