/** The end of collecting: by the deadline, by the last contribution, or because too many left. */

import { canHide } from './masking-config.ts'
import type { EventOf, RoundIn } from './round-state.ts'
import { abandon, moved, names, remaining, type RoundStep, tellMasking, unchanged } from './round-step.ts'

/** Ends collecting at the deadline with what is there, if that is enough. */
export function closeCollecting(state: RoundIn<'announced' | 'collecting'>, at: number): RoundStep {
  const { participantsMin } = state.config.round
  if (state.contributions.length >= participantsMin) return startAggregating(state)
  return abandon(
    state,
    'too-few-contributions',
    `${state.contributions.length} of at least ${participantsMin} by the deadline`,
    at,
  )
}

/** Ends collecting before the deadline when everybody who is still here has contributed. */
export function closeIfComplete(state: RoundIn<'announced' | 'collecting'>): RoundStep {
  return state.contributions.length === remaining(state).length ? startAggregating(state) : moved(state)
}

/** Who leaves before the aggregation takes its contribution along: consent ends with membership. */
export function withdraw(state: RoundIn<'announced' | 'collecting'>, event: EventOf<'participant-left'>): RoundStep {
  const { organisation, at } = event
  if (!names(remaining(state)).includes(organisation)) return unchanged(state)
  const next = {
    ...state,
    left: [...state.left, organisation].toSorted(),
    contributions: state.contributions.filter((one) => one.organisation !== organisation),
  }
  const { participantsMin } = state.config.round
  const still = remaining(next).length
  if (still < participantsMin)
    return abandon(next, 'too-few-participants', `${still} of at least ${participantsMin} are left`, at)
  if (!canHideAmong(next, still))
    return abandon(next, 'too-few-participants', `${still} of ${state.participants.length} cannot hide each other`, at)
  if (state.config.protection !== 'plain') return moved(next, ...tellMasking(next, { type: 'gone', organisation, at }))
  return closeIfComplete(next)
}

/** Buckets answer for themselves, and under encryption the threshold is within `participantsMin`. */
function canHideAmong({ config, participants }: RoundIn<'announced' | 'collecting'>, still: number): boolean {
  const { protection, robust, masking } = config
  return protection !== 'secagg' || robust.rule !== 'none' || canHide(participants.length, still, masking)
}

export function startAggregating(state: RoundIn<'announced' | 'collecting'>): RoundStep {
  const { roundId, round, baseModel, previousModel, strategyState, config, contributions, masked } = state
  const next: RoundIn<'aggregating'> = { ...state, phase: 'aggregating' }
  return moved(next, {
    type: 'aggregate',
    roundId,
    round,
    baseModel,
    previousModel,
    strategyState,
    config,
    contributions,
    ...(masked === undefined ? {} : { masked }),
  })
}
