/** Opening a round: select, announce, set the deadline. */

import { digestOf } from '../base/hash.ts'
import { isShared } from './organisation-privacy.ts'
import { invitedMin } from './shared-noise.ts'
import { bucketsOf, maskingIdOf } from './masking-config.ts'
import type { EventOf, OpenedRound, RoundEffect, RoundFacts, RoundIn } from './round-state.ts'
import { abandonUnannounced, moved, names, type RoundStep } from './round-step.ts'
import { selectParticipants } from './select-participants.ts'
import { type RoundTask, taskOf } from './round-task.ts'

export function open(before: RoundIn<'unopened'>, event: EventOf<'round-opened'>): RoundStep {
  const { roundId, trainingId, round, baseModel, previousModel, strategyState, config, replyStream, at } = event
  const here = event.candidates.filter(({ organisation }) => !before.left.includes(organisation))
  const state: RoundIn<'announced'> = {
    phase: 'announced',
    roundId,
    trainingId,
    round,
    baseModel,
    previousModel,
    strategyState,
    config,
    replyStream,
    openedAt: at,
    deadline: at + config.round.deadlineMs,
    participants: selectParticipants(here, config, round),
    left: [],
    contributions: [],
  }
  if (before.cancelled) return abandonUnannounced(state, 'cancelled', 'the training was stopped', at)
  const participantsMin = isShared(config) ? invitedMin(config) : config.round.participantsMin
  if (state.participants.length < participantsMin)
    return abandonUnannounced(
      state,
      'too-few-candidates',
      `${state.participants.length} of at least ${participantsMin}`,
      at,
    )
  if (config.protection !== 'plain') return moved({ ...state, joined: [] }, announce(state), ...openMasking(state))
  return moved(state, announce(state), {
    type: 'after',
    at: state.deadline,
    event: { type: 'deadline-passed', at: state.deadline },
  })
}

/** From here on the masking has the say over who counts, and has its own timers. */
function openMasking(state: RoundFacts): RoundEffect[] {
  const { roundId, config, participants, deadline } = state
  const buckets = bucketsOf({ ...state, invited: participants })
  const task = taskOf(taskIn(state))
  return buckets.map((invited, k) => ({
    type: 'open-masking',
    maskingId: maskingIdOf(roundId, k, buckets.length),
    task,
    config,
    invited,
    deadline,
  }))
}

function taskIn({ roundId, trainingId, round, baseModel, config }: RoundFacts): RoundTask {
  return { round_id: roundId, training_id: trainingId, round, base_model: baseModel, config }
}

function announce(state: RoundFacts): RoundEffect {
  const announcement = {
    ...taskIn(state),
    deadline: state.deadline,
    ...(state.config.protection !== 'plain' ? { invited: state.participants.map((one) => ({ ...one })) } : {}),
  }
  return { type: 'announce', to: names(state.participants), announcement }
}

/** Whether an opening is the one that the round had, delivered twice. */
export function sameOpening(state: OpenedRound, event: EventOf<'round-opened'>): boolean {
  return (
    state.trainingId === event.trainingId &&
    state.round === event.round &&
    state.baseModel === event.baseModel &&
    state.openedAt === event.at &&
    digestOf(state.config) === digestOf(event.config)
  )
}
