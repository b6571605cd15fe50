/** Client selection (McMahan et al. 2017, Algorithm 1: a random set of max(C*K, 1) clients), seeded so that it replays. */

import { prng, shuffle } from '../base/prng.ts'
import { PARTICIPANTS_MAX, type TrainingConfig } from './config.ts'
import type { Participant } from './round-state.ts'

const byOrganisation = (a: Participant, b: Participant): number =>
  a.organisation < b.organisation ? -1 : a.organisation > b.organisation ? 1 : 0

/**
 * The candidates that take part in this round, sorted by organisation, each once. Depends on the set of candidates,
 * never on the order in which the hub lists them.
 */
export function selectParticipants(
  candidates: readonly Participant[],
  config: TrainingConfig,
  round: number,
): Participant[] {
  const unique = [...new Map(candidates.map((candidate) => [candidate.organisation, candidate])).values()].toSorted(
    byOrganisation,
  )
  const most = config.round.participantsMax ?? PARTICIPANTS_MAX
  if (unique.length <= most) return unique
  return shuffle(unique, prng(`${config.seed}/select-participants/${round}`))
    .slice(0, most)
    .toSorted(byOrganisation)
}
