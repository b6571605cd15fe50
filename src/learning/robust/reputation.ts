/**
 * What the rounds so far say about an organisation: a number that moves slowly, and why it stands where it does. It
 * follows from sealed blocks alone, so everybody can compute everybody's and nobody can change one quietly.
 *
 * 1. A round moves it by at most {@link RATE}: one bad round costs little, and one good round repairs little.
 * 2. Every fall has a reason that is kept; nobody falls for what others did.
 * 3. It excludes nobody. Who is worth a look is named, and a person or a policy of the federation decides.
 */

import type { OrganisationId } from '../../base/ids.ts'
import type { Block } from '../../ledger/block.ts'
import type { Sign } from './signs.ts'

export interface Reason {
  readonly round: string
  readonly sign: Sign['sign']
  /** What was measured and the limit that it passed, where the block says. */
  readonly value?: number
  readonly limit?: number
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
  readonly signs: readonly (Pick<Sign, 'sign'> & Partial<Sign>)[]
  /** How many stood behind what was measured: the sum of a bucket of three says a third about each. */
  readonly among?: number
}

/** Several signs of one round count once: they are one event. */
export function observe(before: Reputation, { round, signs, among = 1 }: Observation): Reputation {
  const rate = RATE / Math.max(1, among)
  const target = signs.length === 0 ? 1 : 0
  const score = before.score + rate * (target - before.score)
  const cost = signs.length === 0 ? 0 : (before.score - score) / signs.length
  const reasons = signs.map(({ sign, value, limit }) => ({
    round,
    sign,
    ...(value === undefined ? {} : { value }),
    ...(limit === undefined ? {} : { limit }),
    cost,
  }))
  return { score, rounds: before.rounds + 1, reasons: [...before.reasons, ...reasons].slice(-REASONS_KEPT) }
}

/** Seven bad rounds from unknown, twenty-one from the best name. */
const WORTH_A_LOOK = 0.35

/** Whether a person should look: so low a score is of many rounds, and the reasons say which. */
export function isWorthALook({ score }: Reputation): boolean {
  return score < WORTH_A_LOOK
}

type Sealed = Pick<Block, 'aggregation_metrics' | 'provenance'>

/** What a block says of its participants; undefined where no rule looked at single updates. */
export function observationsOf({
  aggregation_metrics,
  provenance,
}: Sealed): ReadonlyMap<OrganisationId, Observation> | undefined {
  const flagged = aggregation_metrics['robust_flagged']
  if (!Array.isArray(flagged)) return undefined
  const against = aggregation_metrics['robust_against']
  const signsAt = (position: number): Observation['signs'] => [
    ...(listed(flagged, position) ? [{ sign: 'flagged' } as const] : []),
    ...(listed(against, position) ? [{ sign: 'against' } as const] : []),
  ]
  return new Map(
    provenance.participants.map(({ org_id }, position) => [
      org_id,
      { round: provenance.round_id, signs: signsAt(position) },
    ]),
  )
}

const listed = (positions: unknown, position: number): boolean =>
  Array.isArray(positions) && positions.includes(position)

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
