/** The moves of a participant. Each returns the next state with the effects that it sets off. */

import { fail } from '../base/errors.ts'
import type { OrganisationId } from '../base/ids.ts'
import type { RecordWrite, Step } from '../base/machine.ts'
import type { TrainingConfig } from './config.ts'
import { maskingMs } from './masking-config.ts'
import { ownBucket } from './own-bucket.ts'
import { judgeProposal } from './judge-proposal.ts'
import { isShared } from './organisation-privacy.ts'
import { purposeProblem } from './purpose.ts'
import { tooFewToShare } from './shared-noise.ts'
import type {
  ParticipantEffect,
  ParticipantEventOf,
  ParticipantIn,
  ParticipantOptions,
  ParticipantState,
  Refusal,
  RefusalReason,
} from './participant-state.ts'

export type ParticipantStep = Step<ParticipantState, ParticipantEffect>
export type AnnouncedParticipant = Exclude<ParticipantState, { phase: 'idle' | 'abandoned' }>

/** A hostile hub can propose without end; the records keep the rest. */
const REFUSALS_KEPT = 8

export const only = (state: ParticipantState): ParticipantStep => ({ state, effects: [] })

/** The same in every run of one configuration: the training's own id, which is chance, is not in it. */
export function localSeed(config: TrainingConfig, round: number, organisation: OrganisationId): string {
  return `${config.seed}/local/${round}/${organisation}`
}

export function startTraining(
  self: ParticipantOptions,
  { roundId }: ParticipantIn<'idle'>,
  { announcement, at }: ParticipantEventOf<'announced'>,
): ParticipantStep {
  if (announcement.round_id !== roundId)
    fail('invalid-request', `round ${announcement.round_id} is announced to the stream of ${roundId}`)
  const { config, round, base_model, deadline } = announcement
  const state: ParticipantIn<'training'> = { phase: 'training', roundId, announcement, refusals: [] }
  if (at >= deadline) return only(abandoned(state, 'announced after its deadline', at))
  if (!self.accepts.includes(config.protection))
    return refuse(state, `this organisation does not take part in rounds with protection "${config.protection}"`, at)
  const { privacy, model } = config
  if (self.requirePrivacy && privacy === null && model.kind !== 'policy')
    return refuse(state, 'this organisation does not take part in trainings without differential privacy', at)
  if (privacy?.unit === 'organisation' && !self.mechanisms.includes(privacy.mechanism))
    return refuse(state, `this organisation does not take part in rounds with noise by "${privacy.mechanism}"`, at)
  const unserved = purposeProblem(config, self.purposes)
  if (unserved !== undefined) return refuse(state, unserved, at)
  const unshared = isShared(config) ? tooFewToShare(config, announcement.invited?.length ?? 0) : undefined
  if (unshared !== undefined) return refuse(state, unshared, at)
  const train: ParticipantEffect = {
    type: 'train',
    roundId,
    round,
    baseModel: base_model,
    config,
    trainingId: announcement.training_id,
    seed: localSeed(config, round, self.organisation),
  }
  return { state, effects: [train, timer(deadline, 'deadline-passed'), timer(lastMoment(config, deadline), 'gave-up')] }
}

function timer(at: number, type: 'deadline-passed' | 'gave-up'): ParticipantEffect {
  return { type: 'after', at, event: { type, at } }
}

/** Aggregating may take as long as collecting did, and sealing as long as it is given. */
function lastMoment(config: TrainingConfig, deadline: number): number {
  return deadline + maskingMs(config) + config.round.deadlineMs + config.round.sealTimeoutMs
}

export function contribute(
  self: ParticipantOptions,
  state: ParticipantIn<'training'>,
  event: ParticipantEventOf<'trained'>,
): ParticipantStep {
  const { update, sampleCount, stages, count, metrics, dataSources } = event
  if (state.announcement.config.protection !== 'plain') return startMasking(self, state, event)
  const gradient = {
    blob: { ...update },
    base_model: state.announcement.base_model,
    sample_count: sampleCount,
    stages: [...stages],
    metrics: { ...metrics, ...(count === undefined ? {} : { count }) },
    data_sources: [...dataSources],
  }
  const body = { round_id: state.roundId, org_id: self.organisation, encrypted_gradient: gradient }
  const next: ParticipantIn<'contributing'> = { ...state, phase: 'contributing', sent: { update, sampleCount, stages } }
  return { state: next, effects: [{ type: 'contribute', roundId: state.roundId, body }] }
}

/** The update itself does not leave: only its masked form will. */
function startMasking(
  self: ParticipantOptions,
  { roundId, announcement, refusals }: ParticipantIn<'training'>,
  { update, sampleCount, stages, count }: ParticipantEventOf<'trained'>,
): ParticipantStep {
  const state: ParticipantIn<'masking'> = {
    phase: 'masking',
    roundId,
    announcement,
    refusals,
    trained: { update, sampleCount, stages, ...(count === undefined ? {} : { count }) },
  }
  const { config, round } = announcement
  const rounding = `${localSeed(config, round, self.organisation)}/rounding`
  const { maskingId } = ownBucket(announcement, self.organisation)
  return { state, effects: [{ type: 'open-masking', roundId, maskingId, announcement, sampleCount, rounding }] }
}

export function vouchForMasked(
  { roundId, announcement, refusals }: ParticipantIn<'masking'>,
  { update, sampleCount, stages, survivors }: ParticipantEventOf<'masked'>,
): ParticipantStep {
  const sent = { update, sampleCount, stages, survivors }
  return only({ phase: 'contributed', roundId, announcement, refusals, sent })
}

/** The end of a round that still masks takes the secrets of the masking with it. */
export function abandonMasking(
  self: ParticipantOptions,
  state: ParticipantIn<'masking'>,
  reason: string,
  at: number,
): ParticipantStep {
  const { maskingId } = ownBucket(state.announcement, self.organisation)
  const ended = abandonRound(state, reason, at)
  return {
    ...ended,
    effects: [
      ...ended.effects,
      {
        type: 'close-masking',
        maskingId,
        protection: state.announcement.config.protection,
        reason: reason.slice(0, 256),
      },
    ],
  }
}

/** `told` is all that the hub learns of why: what a message says of this organisation's data or budget stays here. */
export function decline(
  state: ParticipantIn<'training'>,
  reason: string,
  at: number,
  told: string = reason,
): ParticipantStep {
  const refused = refuse(state, reason, at, told)
  return { ...refused, effects: [{ type: 'forget-blobs', roundId: state.roundId }, ...refused.effects] }
}

/** Before anything was done for it. */
function refuse(state: ParticipantIn<'training'>, reason: string, at: number, told: string = reason): ParticipantStep {
  return {
    state: abandoned(state, reason.slice(0, 256), at),
    effects: [{ type: 'decline', roundId: state.roundId, reason: told.slice(0, 256) }],
  }
}

export function abandonRound(state: ParticipantState, reason: string, at: number): ParticipantStep {
  return { state: abandoned(state, reason, at), effects: [{ type: 'forget-blobs', roundId: state.roundId }] }
}

const abandoned = ({ roundId }: ParticipantState, reason: string, at: number): ParticipantIn<'abandoned'> => ({
  phase: 'abandoned',
  roundId,
  reason,
  at,
})

/** What was signed stays signed; what was sent is with the hub, whatever becomes of the round. */
export function forgetSigned(state: ParticipantIn<'signing' | 'signed'>): ParticipantStep {
  return { state, effects: [{ type: 'forget-blobs', roundId: state.roundId }] }
}

type Vouching = ParticipantIn<'contributing' | 'contributed' | 'signing' | 'signed'>

/** Signs the block, again if its proposal comes again, or records why not. */
export function answerProposal(
  self: ParticipantOptions,
  state: Vouching,
  event: ParticipantEventOf<'proposal'>,
): ParticipantStep {
  const { announcement, sent, roundId, refusals } = state
  if (event.at >= lastMoment(announcement.config, announcement.deadline))
    return refuseProposal(state, event, 'too-late')
  const judgement = judgeProposal(event.block, self.organisation, announcement, sent)
  if ('reason' in judgement) return refuseProposal(state, event, judgement.reason, judgement.hash)
  const { block } = judgement
  const before = 'block' in state ? state.block : undefined
  if (before !== undefined && before.hash !== block.hash)
    return refuseProposal(state, event, 'second-block', block.hash)
  const next: ParticipantIn<'signing'> = {
    phase: 'signing',
    roundId,
    announcement,
    refusals,
    sent,
    block: { height: block.height, hash: block.hash },
  }
  return { state: next, effects: [{ type: 'sign-block', id: event.id, block }] }
}

export function refuseProposal(
  state: AnnouncedParticipant,
  { id, at }: ParticipantEventOf<'proposal'>,
  reason: RefusalReason,
  hash = '',
): ParticipantStep {
  const refusal: Refusal = { hash, reason, at }
  const record: RecordWrite = {
    collection: 'refused-proposal',
    key: `${state.roundId}/${hash || 'unread'}`,
    value: { id, ...refusal },
  }
  return {
    state: { ...state, refusals: [...state.refusals, refusal].slice(-REFUSALS_KEPT) },
    effects: [],
    records: [record],
  }
}
