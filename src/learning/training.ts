/**
 * A training, as the hub lives it: one round after the other from one model to the next. Stream `training/<trainingId>`.
 *
 *   unstarted -> sealing-initial (if asked) -> running -> done | failed{reason} | stopped
 *
 * 1. At most one round of a training is open. Round r+1 opens only when round r has been answered.
 * 2. An abandoned round leaves the model as it was and uses up its number; so many in a row end the training. One in which
 *    updates were to be hidden and somebody declined is made up for by another, without who declined.
 * 3. Answers of any round but the current one, and anything after the end, change nothing.
 */

import { fail } from '../base/errors.ts'
import type { TrainingId } from '../base/ids.ts'
import type { Machine } from '../base/machine.ts'
import {
  end,
  failTraining,
  join,
  leave,
  roundAbandoned,
  roundFinished,
  sameStart,
  start,
  startRunning,
  stopRunning,
  type TrainingStep,
  unchanged,
} from './training-moves.ts'
import type {
  StartedTraining,
  TrainingEffect,
  TrainingEvent,
  TrainingIn,
  TrainingStarted,
  TrainingState,
} from './training-state.ts'

export const trainingMachine: Machine<TrainingState, TrainingEvent, TrainingEffect> = {
  kind: 'training',
  initial: (streamId) => ({ phase: 'unstarted', trainingId: streamId.slice('training/'.length) as TrainingId }),
  step,
}

function step(state: TrainingState, event: TrainingEvent): TrainingStep {
  switch (state.phase) {
    case 'unstarted':
      return event.type === 'training-started'
        ? start(event)
        : fail('not-found', `there is no training ${state.trainingId}`)
    case 'sealing-initial':
      return sealingInitial(state, event)
    case 'running':
      return running(state, event)
    case 'done':
    case 'failed':
    case 'stopped':
      return event.type === 'training-started' ? startedAgain(state, event) : unchanged(state)
  }
}

function sealingInitial(state: TrainingIn<'sealing-initial'>, event: TrainingEvent): TrainingStep {
  switch (event.type) {
    case 'sealed':
      return startRunning(state, event.at)
    case 'seal-failed':
      return failTraining(state, `the initial model was not sealed: ${event.reason}`, event.at)
    case 'organisation-joined':
      return join(state, event)
    case 'organisation-left':
      return leave(state, event)
    case 'training-stopped':
      return end(state, 'stopped', event.at)
    case 'training-started':
      return startedAgain(state, event)
    case 'round-finished':
    case 'round-abandoned':
      return unchanged(state)
  }
}

function running(state: TrainingIn<'running'>, event: TrainingEvent): TrainingStep {
  switch (event.type) {
    case 'round-finished':
      return event.round === state.round ? roundFinished(state, event) : unchanged(state)
    case 'round-abandoned':
      return event.round === state.round ? roundAbandoned(state, event) : unchanged(state)
    case 'organisation-joined':
      return join(state, event)
    case 'organisation-left':
      return leave(state, event)
    case 'training-stopped':
      return stopRunning(state, event.at)
    case 'training-started':
      return startedAgain(state, event)
    case 'sealed':
    case 'seal-failed':
      return unchanged(state)
  }
}

function startedAgain(state: StartedTraining, event: TrainingStarted): TrainingStep {
  return sameStart(state, event)
    ? unchanged(state)
    : fail('already-exists', `training ${state.trainingId} was started with other content`)
}
