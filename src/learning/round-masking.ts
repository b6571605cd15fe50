/**
 * A round with secure aggregation, between its announcement and its aggregation. Who counts is decided by the machine
 * `unmasking/<roundId>` and by the participants who sign its list of survivors; the round waits for the sum, or for those of
 * all buckets.
 */

import type { RosterFacts } from '../privacy/masking/roster.ts'
import { bucketsOf, maskedStages } from './masking-config.ts'
import { vectorsMin } from './robust/config.ts'
import { startAggregating } from './round-collecting.ts'
import { withAddedNoise } from './central-noise.ts'
import { encryptedStages } from './encryption-config.ts'
import { togetherSpoilt } from './spoilt.ts'
import type { AcceptedContribution, EventOf, MaskedSum, RoundIn } from './round-state.ts'
import { abandon, moved, type RoundStep, unchanged } from './round-step.ts'
import { expectedStages, type StageRecord } from './stages.ts'

type Waiting = RoundIn<'announced' | 'collecting'>

/** For those who watch, and for the kinds of log that the block names; the masking itself judges the keys. */
export function noteJoined(state: Waiting, { organisation, dataSources }: EventOf<'joined'>): RoundStep {
  const joined = state.joined ?? []
  const invited = state.participants.some((one) => one.organisation === organisation)
  if (!invited || joined.some((one) => one.organisation === organisation)) return unchanged(state)
  const all = [...joined, { organisation, dataSources }].toSorted((a, b) => (a.organisation < b.organisation ? -1 : 1))
  return moved({ ...state, phase: 'collecting', joined: all })
}

/** A sum has come; when the last bucket has answered, the aggregation begins. */
export function takeSum(state: Waiting, { bucket, sum, facts, noise, at }: EventOf<'unmasked'>): RoundStep {
  const before = state.masked ?? []
  if (before.some((one) => one.bucket === bucket)) return unchanged(state)
  const taken: MaskedSum = { bucket, sum, facts, ...(noise === undefined ? {} : { noise }) }
  const masked = [...before, taken].toSorted((a, b) => a.bucket - b.bucket)
  return whenAllAnswered({ ...state, phase: 'collecting', masked }, at, '')
}

/** A bucket without a sum is missing like an organisation that did not contribute. */
export function endWithoutSum(state: Waiting, event: EventOf<'masking-ended'>): RoundStep {
  const { bucket, reason, detail, at } = event
  const lostBuckets = [...new Set([...(state.lostBuckets ?? []), bucket])].toSorted((a, b) => a - b)
  const spoilt = togetherSpoilt([state.spoilt ?? {}, event])
  const next = { ...state, lostBuckets, ...(Object.keys(spoilt).length === 0 ? {} : { spoilt }) }
  return whenAllAnswered(next, at, `${reason}: ${detail}`)
}

function whenAllAnswered(state: Waiting, at: number, why: string): RoundStep {
  const { masked = [], lostBuckets = [], config } = state
  const { rule, f } = config.robust
  const buckets = bucketsOf({ ...state, invited: state.participants }).length
  if (masked.length + lostBuckets.length < buckets) return moved(state)
  const needed = rule === 'none' ? 1 : Math.max(2, vectorsMin(rule, f))
  if (masked.length < needed)
    return abandon(state, 'masking-failed', buckets === 1 ? why : `${masked.length} of at least ${needed} buckets`, at)
  const contributions = contributionsOf(state, masked, buckets)
  const { participantsMin } = config.round
  if (contributions.length < participantsMin)
    return abandon(state, 'too-few-contributions', `${contributions.length} of at least ${participantsMin}`, at)
  return startAggregating({ ...state, phase: 'collecting', contributions })
}

/** The survivors take the place of contributions: each with its masked vector, which says nothing by itself. */
function contributionsOf(state: Waiting, masked: readonly MaskedSum[], buckets: number): AcceptedContribution[] {
  const all = masked.flatMap(({ facts, noise }) => {
    const stages = hiddenStages(withAddedNoise(expectedStages(state.config), noise), facts, buckets)
    return facts.survivors.map(
      ({ organisation, vector, weight }): AcceptedContribution => ({
        organisation,
        envelopeId: '',
        update: { digest: vector, size: hiddenBytes(facts) },
        sampleCount: weight,
        stages,
        metrics: {},
        dataSources: state.joined?.find((one) => one.organisation === organisation)?.dataSources ?? [],
      }),
    )
  })
  return all.toSorted((a, b) => (a.organisation < b.organisation ? -1 : 1))
}

type HiddenFacts = MaskedSum['facts']

const hiddenStages = (stages: readonly StageRecord[], facts: HiddenFacts, buckets: number): StageRecord[] =>
  'scheme' in facts ? encryptedStages(stages, facts) : maskedStages(stages, facts, buckets)

const hiddenBytes = (facts: HiddenFacts): number => ('scheme' in facts ? facts.vectorBytes : maskedBytes(facts))

export const maskedBytes = ({ length, width }: RosterFacts): number => (length * width) / 8
