/**
 * A round with secure aggregation, between its announcement and its aggregation. Who counts is decided by the machine
 * `unmasking/<roundId>` and by the participants who sign its list of survivors; the round waits for the sum.
 */

import type { RosterFacts } from '../privacy/masking/roster.ts'
import { maskedStages } from './masking-config.ts'
import { startAggregating } from './round-collecting.ts'
import type { AcceptedContribution, EventOf, RoundIn } from './round-state.ts'
import { abandon, moved, type RoundStep, unchanged } from './round-step.ts'
import { expectedStages } from './stages.ts'

type Waiting = RoundIn<'announced' | 'collecting'>

/** For those who watch, and for the kinds of log that the block names; the masking itself judges the keys. */
export function noteJoined(state: Waiting, { organisation, dataSources }: EventOf<'joined'>): RoundStep {
  const joined = state.joined ?? []
  const invited = state.participants.some((one) => one.organisation === organisation)
  if (!invited || joined.some((one) => one.organisation === organisation)) return unchanged(state)
  const all = [...joined, { organisation, dataSources }].toSorted((a, b) => (a.organisation < b.organisation ? -1 : 1))
  return moved({ ...state, phase: 'collecting', joined: all })
}

/** The survivors take the place of contributions: each with its masked vector, which says nothing by itself. */
export function takeSum(state: Waiting, { sum, facts, at }: EventOf<'unmasked'>): RoundStep {
  const { participantsMin } = state.config.round
  if (facts.survivors.length < participantsMin)
    return abandon(state, 'too-few-contributions', `${facts.survivors.length} of at least ${participantsMin}`, at)
  const stages = maskedStages(expectedStages(state.config), facts)
  const contributions = facts.survivors.map(
    ({ organisation, vector, weight }): AcceptedContribution => ({
      organisation,
      envelopeId: '',
      update: { digest: vector, size: maskedBytes(facts) },
      sampleCount: weight,
      stages,
      metrics: {},
      dataSources: state.joined?.find((one) => one.organisation === organisation)?.dataSources ?? [],
    }),
  )
  return startAggregating({ ...state, phase: 'collecting', contributions, masked: { sum, facts } })
}

export const maskedBytes = ({ length, width }: RosterFacts): number => (length * width) / 8

export function endWithoutSum(state: Waiting, { reason, detail, at }: EventOf<'masking-ended'>): RoundStep {
  return abandon(state, 'masking-failed', `${reason}: ${detail}`, at)
}
