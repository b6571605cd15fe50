/** Which contributions a round takes. Each refusal has its own code; the first that applies is given. */

import { fail } from '../base/errors.ts'
import type { OrganisationId } from '../base/ids.ts'
import type { ContributionBody } from './messages.ts'
import { closeIfComplete } from './round-collecting.ts'
import type { AcceptedContribution, ContributionReceived, OpenedRound, RoundIn } from './round-state.ts'
import { remaining, type RoundStep, unchanged } from './round-step.ts'
import { checkSampleCount, weightMaxOf } from './sample-count.ts'
import { expectedStages, sameStages } from './stages.ts'

/** The event of a `contribution` envelope from this sender. @throws impersonation if the body names another organisation */
export function contributionReceived(
  body: ContributionBody,
  from: OrganisationId,
  envelopeId: string,
  at: number,
): ContributionReceived {
  if (body.org_id !== from) fail('impersonation', `${from} sent a contribution in the name of ${body.org_id}`)
  const { blob, base_model, sample_count, stages, metrics, data_sources } = body.encrypted_gradient
  return {
    type: 'contribution-received',
    organisation: from,
    envelopeId,
    update: blob,
    baseModel: base_model,
    sampleCount: sample_count,
    stages,
    metrics,
    dataSources: data_sources,
    at,
  }
}

/**
 * Counts a contribution. The deadline is judged by the time of arrival, not by when the timer fires, so that a hub that
 * was down over the deadline does not favour whoever comes first after its restart.
 * @throws not-a-participant, already-submitted, round-closed, wrong-base-model, sample-count-invalid, invalid-request
 */
export function acceptContribution(state: RoundIn<'announced' | 'collecting'>, event: ContributionReceived): RoundStep {
  if (isRepeated(state, event)) return unchanged(state)
  checkSender(state, event)
  if (state.config.protection !== 'plain')
    fail('invalid-request', `round ${state.roundId} takes masked vectors only: an update in the clear is refused`)
  if (event.at >= state.deadline) closed(state, event)
  checkContent(state, event)
  const { organisation, envelopeId, update, sampleCount, stages, metrics, dataSources } = event
  const accepted: AcceptedContribution = {
    ...{ organisation, envelopeId, update, sampleCount, stages, metrics, dataSources },
  }
  const contributions = [...state.contributions, accepted].toSorted((a, b) =>
    a.organisation < b.organisation ? -1 : 1,
  )
  return closeIfComplete({ ...state, phase: 'collecting', contributions })
}

/** A contribution when the round no longer takes any; its repetition is acknowledged again as long as it counts. */
export function refuseLate(state: OpenedRound, event: ContributionReceived): RoundStep {
  if (state.phase === 'abandoned') closed(state, event)
  if (isRepeated(state, event)) return unchanged(state)
  checkSender(state, event)
  return closed(state, event)
}

/** The same envelope again: its sender did not see our answer. */
function isRepeated(state: OpenedRound, event: ContributionReceived): boolean {
  return state.contributions.some(
    (one) => one.organisation === event.organisation && one.envelopeId === event.envelopeId,
  )
}

function checkSender(state: OpenedRound, { organisation }: ContributionReceived): void {
  const before = state.contributions.find((one) => one.organisation === organisation)
  if (before !== undefined)
    fail('already-submitted', `${organisation} has a contribution in round ${state.roundId}`, {
      digest: before.update.digest,
    })
  if (!remaining(state).some((one) => one.organisation === organisation))
    fail('not-a-participant', `${organisation} does not take part in round ${state.roundId}`)
}

/** The count is the organisation's word and its weight in the mean: 1e12 would make the model its own. */
function checkContent({ baseModel, config }: OpenedRound, event: ContributionReceived): void {
  if (event.baseModel !== baseModel)
    fail('wrong-base-model', `the update starts from ${event.baseModel}, the round from ${baseModel}`)
  checkSampleCount(event.sampleCount, weightMaxOf(config))
  if (!sameStages(event.stages, expectedStages(config)))
    fail('invalid-request', 'the stages that the contribution claims are not those of this round', {
      expected: expectedStages(config),
    })
}

function closed(state: OpenedRound, event: ContributionReceived): never {
  fail('round-closed', `round ${state.roundId} takes no more contributions`, {
    phase: state.phase,
    deadline: state.deadline,
    at: event.at,
  })
}
