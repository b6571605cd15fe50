/**
 * Secure aggregation at an organisation: what was trained stays here, masked it leaves. Seeds are drawn once, kept
 * encrypted, and forgotten when the shares are out or the round has ended.
 */

import { fail } from '../../base/errors.ts'
import type { RoundId } from '../../base/ids.ts'
import type { DriveEffect } from '../../base/machine.ts'
import { maskedStages, maskingContext, roundOfMasking } from '../../learning/masking-config.ts'
import type { MessageBody } from '../../learning/messages.ts'
import { coordinateBound } from '../../learning/organisation-privacy.ts'
import type { ParticipantEvent, ParticipantIn } from '../../learning/participant-state.ts'
import { ownBucket } from '../../learning/own-bucket.ts'
import { maskedBytes } from '../../learning/round-masking.ts'
import type { ClientEffect, ClientEvent, ClientState } from '../../privacy/masking/client-state.ts'
import { maskingClient } from '../../privacy/masking/client.ts'
import type { Dispatch, EffectContext } from '../drive.ts'
import type { MaskingThreads } from '../masking/threads.ts'
import { type SealedMachine, sealedMachine } from '../sealed-machine.ts'
import { createSealer } from '../sealer.ts'
import { openUpdateFile } from '../tensors.ts'
import {
  declaredSources,
  endOfPart,
  freshSeed,
  type HiddenParts,
  hidingIn,
  isAbandoned,
  type OpenMasking,
  partThatLeaves,
  whereHidden,
} from './hidden-round.ts'
import type { OrganisationContext, OrganisationIdentity } from './identity.ts'
import { deliver } from './letters.ts'
import { forgetIfOver, nameRoundBlob } from './round-blobs.ts'

type MaskingEffect = Exclude<ClientEffect, DriveEffect>
type EffectOf<Type extends MaskingEffect['type']> = Extract<MaskingEffect, { type: Type }>
export type SealedClient = SealedMachine<ClientState, ClientEvent, ClientEffect>

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

export interface MaskingParts extends HiddenParts {
  readonly client: SealedClient
  readonly threads: MaskingThreads
}

/** The answer to `open-masking`: an opening with a fresh seed, or why there is none. */
export async function openMasking({ context, client }: MaskingParts, effect: OpenMasking): Promise<Dispatch> {
  const at = context.ports.clock.now()
  try {
    const opened = await openingOf(context, effect, at)
    return { stream: streamOf(effect.maskingId), event: client.sealEvent(opened) }
  } catch (error) {
    return { stream: `participant/${effect.roundId}`, event: endOfPart(error, at) }
  }
}

/** @throws impersonation, not-a-participant */
async function openingOf(
  context: OrganisationContext,
  { maskingId, announcement, sampleCount, rounding }: OpenMasking,
  at: number,
): Promise<ClientEvent> {
  const { config } = announcement
  const where = await whereHidden(context, announcement, maskingId)
  return {
    type: 'opened',
    context: maskingContext(config, where, coordinateBound(config)),
    weight: sampleCount,
    rounding,
    seed: freshSeed(context),
    at,
  }
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
    return [{ stream: `participant/${round}`, event: endOfPart(error, context.ports.clock.now()) }]
  }
}

/** Masks what was trained, unless the round is over. */
async function mask(
  { context, threads }: MaskingParts,
  { order }: EffectOf<'mask'>,
  stream: string,
): Promise<readonly Dispatch[]> {
  const round = roundOf(stream)
  const state = await hidingIn(context, round)
  if (state === undefined) {
    await forgetIfOver(context, round)
    return []
  }
  const update = await openUpdateFile(context.ports.blobs, state.trained.update.digest)
  try {
    const { digest, clipped } = await threads.mask(order, (await partThatLeaves(context, state)) ?? update)
    await nameRoundBlob(context, round, digest)
    await forgetIfOver(context, round)
    // A share of noise that is cut off is no share any more: the others count on it.
    if (clipped > 0 && coordinateBound(state.announcement.config).grid !== null)
      fail('internal', 'noise was cut off, and is less than what was accounted for')
    if (clipped > 0) context.options.log?.warn({ clipped, of: order.length }, 'values of the update were cut off')
    return [{ stream, event: { type: 'vector-masked', vector: digest, at: context.ports.clock.now() } }]
  } finally {
    await update.file.close()
  }
}

async function send(
  context: OrganisationContext,
  maskingId: RoundId,
  { message, body }: EffectOf<'send'>,
  id: string,
): Promise<void> {
  const { connection, blobs } = context.ports
  const { round } = roundOfMasking(maskingId)
  if (await isAbandoned(context, round)) return
  // Once the round has gone on, the hub has it, and it may be forgotten here.
  if (message === 'masking-input' && (await hidingIn(context, round)) !== undefined)
    await connection.upload(body.vector, blobs)
  const letter = { round_id: maskingId, body }
  if (message !== 'masking-keys') return deliver(context, message, letter, id)
  const sources = await declaredSources(context, round)
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
  const state = await hidingIn(context, round)
  if (state !== undefined) await dispatch(`participant/${round}`, maskedEvent(state, report, context), `${id}/masked`)
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
