/** What rounds of secure aggregation and under encryption have in common at an organisation. */

import { toBase64Url } from '../../base/bytes.ts'
import { EntenteError } from '../../base/errors.ts'
import type { RoundId } from '../../base/ids.ts'
import { countLength } from '../../learning/adaptive-clip.ts'
import type { MaskedRound } from '../../learning/masking-config.ts'
import type { RoundAnnouncement } from '../../learning/messages.ts'
import { ownBucket } from '../../learning/own-bucket.ts'
import type {
  ParticipantEffect,
  ParticipantEvent,
  ParticipantIn,
  ParticipantState,
} from '../../learning/participant-state.ts'
import { taskOf } from '../../learning/round-task.ts'
import { gather, supportOf, vectorLength } from '../../learning/sparsify.ts'
import { outlineOf } from '../../models/model.ts'
import { readFlat } from '../model-files.ts'
import type { OrganisationContext } from './identity.ts'
import { pinKeys } from './member-keys.ts'
import { dataSourcesOf } from './train.ts'

export type OpenMasking = Extract<ParticipantEffect, { type: 'open-masking' }>

export interface HiddenParts {
  readonly context: OrganisationContext
  /** Hands an event to a stream of this node; once, however often it is called with one id. */
  dispatch(stream: string, event: unknown, id: string): Promise<void>
}

const SEED_BYTES = 32

/** From which all that is secret in a round follows. */
export const freshSeed = ({ ports }: OrganisationContext): string => toBase64Url(ports.random.bytes(SEED_BYTES))

/** Among whom this organisation hides, whose keys are those it knows, and how long a vector is. @throws impersonation, not-a-participant */
export async function whereHidden(
  context: OrganisationContext,
  announcement: RoundAnnouncement,
  round: RoundId,
): Promise<MaskedRound> {
  const { identity, options } = context
  const { config } = announcement
  const { invited } = ownBucket(announcement, identity.organisation)
  await pinKeys(context, invited)
  const length = vectorLength(config, outlineOf(config.model, options.kernels).parameterCount) + countLength(config)
  return { federation: identity.federation, round, task: taskOf(announcement), invited, length }
}

/** A refusal that will be the same next time ends this organisation's part; anything else is thrown, to be tried again. */
export function endOfPart(error: unknown, at: number): ParticipantEvent {
  if (!(error instanceof EntenteError) || error.retryable) throw error
  return { type: 'masking-failed', code: error.code, message: error.message, at }
}

/** Undefined once the round is over for this organisation. */
export async function hidingIn(
  { ports }: OrganisationContext,
  round: RoundId,
): Promise<ParticipantIn<'masking'> | undefined> {
  const state = (await ports.store.readStream(`participant/${round}`))?.state as ParticipantState | undefined
  return state?.phase === 'masking' ? state : undefined
}

/** Whether the round is over here without a block: what was to be sent for it is removed, and is sent no more. */
export async function isAbandoned({ ports }: OrganisationContext, round: RoundId): Promise<boolean> {
  const state = (await ports.store.readStream(`participant/${round}`))?.state as ParticipantState | undefined
  return state?.phase === 'abandoned'
}

/** Kinds of log that it declares with its first letter. */
export async function declaredSources(context: OrganisationContext, round: RoundId): Promise<readonly string[]> {
  const state = await hidingIn(context, round)
  return state === undefined ? [] : dataSourcesOf(context, state.announcement.config)
}

/** What leaves where it is not just what was trained: the coordinates of the round, and whether the update was clipped. */
export async function partThatLeaves(
  { ports }: OrganisationContext,
  { announcement: { config, round }, trained }: ParticipantIn<'masking'>,
): Promise<Float32Array | undefined> {
  const { count } = trained
  if (config.sparsify?.method !== 'random-k' && count === undefined) return undefined
  const { values } = await readFlat(ports.blobs, trained.update.digest)
  const support = supportOf(config, round, values.length)
  const part = support === null ? values : gather(support, values)
  return count === undefined ? part : withLast(part, count)
}

function withLast(values: Float32Array, last: number): Float32Array {
  const all = new Float32Array(values.length + 1)
  all.set(values)
  all[values.length] = last
  return all
}
