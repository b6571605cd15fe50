/**
 * Secure aggregation at an organisation: what was trained stays here, masked it leaves. Seeds are drawn once, kept
 * encrypted, and forgotten when the shares are out or the round has ended.
 */

import { toBase64Url } from '../../base/bytes.ts'
import { EntenteError, fail } from '../../base/errors.ts'
import type { Digest, RoundId } from '../../base/ids.ts'
import type { DriveEffect } from '../../base/machine.ts'
import { maskedStages, maskingContext, roundOfMasking } from '../../learning/masking-config.ts'
import type { MessageBody, RoundAnnouncement } from '../../learning/messages.ts'
import { coordinateBound } from '../../learning/organisation-privacy.ts'
import { gather, supportOf, vectorLength } from '../../learning/sparsify.ts'
import type {
  ParticipantEffect,
  ParticipantEvent,
  ParticipantIn,
  ParticipantState,
} from '../../learning/participant-state.ts'
import { ownBucket } from '../../learning/own-bucket.ts'
import { maskedBytes } from '../../learning/round-masking.ts'
import { outlineOf } from '../../models/model.ts'
import type { ClientEffect, ClientEvent, ClientState } from '../../privacy/masking/client-state.ts'
import { maskingClient } from '../../privacy/masking/client.ts'
import type { Dispatch, EffectContext } from '../drive.ts'
import type { MaskingThreads } from '../masking/threads.ts'
import { type SealedMachine, sealedMachine } from '../sealed-machine.ts'
import { createSealer } from '../sealer.ts'
import { readFlat } from '../model-files.ts'
import { openUpdateFile } from '../tensors.ts'
import type { OrganisationContext, OrganisationIdentity } from './identity.ts'
import { deliver } from './letters.ts'
import { pinKeys } from './member-keys.ts'
import { dataSourcesOf } from './train.ts'

type MaskingEffect = Exclude<ClientEffect, DriveEffect>
type EffectOf<Type extends MaskingEffect['type']> = Extract<MaskingEffect, { type: Type }>
type OpenMasking = Extract<ParticipantEffect, { type: 'open-masking' }>
export type SealedClient = SealedMachine<ClientState, ClientEvent, ClientEffect>

const SEED_BYTES = 32
const STREAM = 'masking/'
const streamOf = (maskingId: RoundId): string => `${STREAM}${maskingId}`
const maskingIdIn = (stream: string): RoundId => stream.slice(STREAM.length) as RoundId
const roundOf = (stream: string): RoundId => roundOfMasking(maskingIdIn(stream)).round

export const isMaskingStream = (stream: string): boolean => stream.startsWith(STREAM)

const OPEN_PHASES: ReadonlySet<string> = new Set<ClientState['phase']>(['idle', 'revealed', 'abandoned'])

export function sealedClient({
  organisation,
  secret,
}: Pick<OrganisationIdentity, 'organisation' | 'secret'>): SealedClient {
  return sealedMachine(maskingClient({ organisation, secret }), createSealer(secret, 'masking'), {
    isSecretState: ({ phase }) => !OPEN_PHASES.has(phase),
    isSecretEffect: ({ type }) => type === 'mask',
  })
}

export interface MaskingParts {
  readonly context: OrganisationContext
  readonly client: SealedClient
  readonly threads: MaskingThreads
  /** Hands an event to a stream of this node; once, however often it is called with one id. */
  dispatch(stream: string, event: unknown, id: string): Promise<void>
}

/** The answer to `open-masking`: an opening with a fresh seed, or why there is none. */
export async function openMasking({ context, client }: MaskingParts, effect: OpenMasking): Promise<Dispatch> {
  const at = context.ports.clock.now()
  try {
    const opened = await openingOf(context, effect, at)
    return { stream: streamOf(effect.maskingId), event: client.sealEvent(opened) }
  } catch (error) {
    return { stream: `participant/${effect.roundId}`, event: failed(error, at) }
  }
}

/** @throws impersonation, not-a-participant */
async function openingOf(
  context: OrganisationContext,
  { maskingId, announcement, sampleCount, rounding }: OpenMasking,
  at: number,
): Promise<ClientEvent> {
  const { identity, options, ports } = context
  const { config } = announcement
  const { invited } = ownBucket(announcement, identity.organisation)
  await pinKeys(context, invited)
  const length = vectorLength(config, outlineOf(config.model, options.kernels).parameterCount)
  const where = { federation: identity.federation, round: maskingId, invited, length }
  return {
    type: 'opened',
    context: maskingContext(config, where, coordinateBound(config)),
    weight: sampleCount,
    rounding,
    seed: toBase64Url(ports.random.bytes(SEED_BYTES)),
    at,
  }
}

/** A refusal that will be the same next time ends this organisation's part; anything else is thrown, to be tried again. */
function failed(error: unknown, at: number): ParticipantEvent {
  if (!(error instanceof EntenteError) || error.retryable) throw error
  return { type: 'masking-failed', code: error.code, message: error.message, at }
}

export async function performMaskingEffect(
  parts: MaskingParts,
  stored: unknown,
  { id, stream }: EffectContext,
): Promise<readonly Dispatch[]> {
  const { context, client } = parts
  const effect = client.openEffect(stored) as MaskingEffect
  const round = roundOf(stream)
  try {
    switch (effect.type) {
      case 'mask':
        return await mask(parts, effect, stream)
      case 'send':
        await send(context, maskingIdIn(stream), effect, id)
        return []
      case 'reveal':
        await reveal(parts, maskingIdIn(stream), effect, id)
        return []
    }
  } catch (error) {
    return [{ stream: `participant/${round}`, event: failed(error, context.ports.clock.now()) }]
  }
}

async function participantOf({ ports }: OrganisationContext, round: RoundId): Promise<ParticipantState | undefined> {
  return (await ports.store.readStream(`participant/${round}`))?.state as ParticipantState | undefined
}

/** Masks what was trained, unless the round is over. */
async function mask(
  { context, threads }: MaskingParts,
  { order }: EffectOf<'mask'>,
  stream: string,
): Promise<readonly Dispatch[]> {
  const state = await participantOf(context, roundOf(stream))
  if (state?.phase !== 'masking') return []
  const { digest: trained } = state.trained.update
  const update = await openUpdateFile(context.ports.blobs, trained)
  try {
    const part = await partOf(context, state.announcement, trained)
    const { digest, clipped } = await threads.mask(order, part ?? update)
    // A share of noise that is cut off is no share any more: the others count on it.
    if (clipped > 0 && coordinateBound(state.announcement.config).grid !== null)
      fail('internal', 'noise was cut off, and is less than what was accounted for')
    if (clipped > 0) context.options.log?.warn({ clipped, of: order.length }, 'values of the update were cut off')
    return [{ stream, event: { type: 'vector-masked', vector: digest, at: context.ports.clock.now() } }]
  } finally {
    await update.file.close()
  }
}

/** Where a round has coordinates of its own, the update at these; it is short. */
async function partOf(
  { ports }: OrganisationContext,
  { config, round }: RoundAnnouncement,
  trained: Digest,
): Promise<Float32Array | undefined> {
  if (config.sparsify?.method !== 'random-k') return undefined
  const { values } = await readFlat(ports.blobs, trained)
  const support = supportOf(config, round, values.length)
  return support === null ? undefined : gather(support, values)
}

async function send(
  context: OrganisationContext,
  maskingId: RoundId,
  { message, body }: EffectOf<'send'>,
  id: string,
): Promise<void> {
  if (message === 'masking-input') await context.ports.connection.upload(body.vector, context.ports.blobs)
  const letter = { round_id: maskingId, body }
  if (message !== 'masking-keys') return deliver(context, message, letter, id)
  const state = await participantOf(context, roundOfMasking(maskingId).round)
  const sources = state?.phase === 'masking' ? dataSourcesOf(context, state.announcement.config) : []
  return deliver(context, message, { ...letter, data_sources: sources }, id)
}

/** As soon as the shares are out there may be a block: so what it must say is known to the participant before. */
async function reveal(
  { context, dispatch }: MaskingParts,
  maskingId: RoundId,
  { report, body }: EffectOf<'reveal'>,
  id: string,
): Promise<void> {
  const { round } = roundOfMasking(maskingId)
  const state = await participantOf(context, round)
  if (state?.phase === 'masking')
    await dispatch(`participant/${round}`, maskedEvent(state, report, context), `${id}/masked`)
  await deliver(context, 'masking-reveal', { round_id: maskingId, body }, id)
}

function maskedEvent(
  { trained, announcement }: ParticipantIn<'masking'>,
  { facts, vector, weight, signed }: EffectOf<'reveal'>['report'],
  { ports, identity }: OrganisationContext,
): ParticipantEvent {
  const { buckets } = ownBucket(announcement, identity.organisation)
  return {
    type: 'masked',
    update: { digest: vector, size: maskedBytes(facts) },
    sampleCount: weight,
    stages: maskedStages(trained.stages ?? [], facts, buckets),
    survivors: signed,
    at: ports.clock.now(),
  }
}

export function closeMasking(maskingId: RoundId, reason: string, at: number): Dispatch {
  return { stream: streamOf(maskingId), event: { type: 'abandoned', reason, at } }
}

export type HubMaskingLetter = 'masking-roster' | 'masking-inbox' | 'masking-survivors' | 'masking-quorum'

/** The event of a letter of the hub. */
export function maskingEvent<Type extends HubMaskingLetter>(
  type: Type,
  { round_id, body }: MessageBody<Type>,
  at: number,
): { stream: string; event: unknown } {
  const named: Record<HubMaskingLetter, object> = {
    'masking-roster': { type: 'roster', members: body },
    'masking-inbox': { type: 'inbox', inbox: body },
    'masking-survivors': { type: 'survivors', survivors: body },
    'masking-quorum': { type: 'quorum', agreements: body },
  }
  return { stream: streamOf(round_id), event: { ...named[type], at } }
}
