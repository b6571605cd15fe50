/**
 * Secure aggregation at the hub: opens the machine of a round, hands letters to and fro, takes the masks off the sum. It
 * sees masked vectors, and of secrets only what a quorum revealed.
 */

import type { Envelope } from '../../base/envelope.ts'
import type { Digest, OrganisationId, RoundId } from '../../base/ids.ts'
import type { DriveEffect } from '../../base/machine.ts'
import { maskingContext, roundOfMasking } from '../../learning/masking-config.ts'
import { type MessageBody, parseBody } from '../../learning/messages.ts'
import { coordinateBound } from '../../learning/organisation-privacy.ts'
import { rosterOf } from '../../privacy/masking/roster.ts'
import type { ServerEffect, ServerEvent, ServerState } from '../../privacy/masking/server-state.ts'
import { vectorBytes } from '../../privacy/masking/vector.ts'
import type { Dispatch, Drive } from '../drive.ts'
import type { MaskingThreads } from '../masking/threads.ts'
import { forgetNoise } from '../noise-seed.ts'
import { centralNoise } from './central-noise.ts'
import {
  maskingEnded,
  noteJoined,
  type OpenMasking,
  orElse,
  requireBlob,
  requireRound,
  warnSpoilt,
  whereHidden,
} from './hidden-round.ts'
import type { HubContext } from './identity.ts'
import { postToAll } from './mail.ts'

export type MaskingEffect = Exclude<ServerEffect, DriveEffect>

const STREAM = 'unmasking/'
const streamOf = (round: RoundId): string => `${STREAM}${round}`
const maskingIdIn = (stream: string): RoundId => stream.slice(STREAM.length) as RoundId

export const isMaskingStream = (stream: string): boolean => stream.startsWith(STREAM)

/** The answer to the effect `open-masking`. */
export function openMasking(hub: HubContext, effect: OpenMasking): Dispatch {
  const { maskingId, config, deadline } = effect
  const context = maskingContext(config, whereHidden(hub, effect), coordinateBound(config))
  const event = { type: 'opened', context, phaseMs: config.masking.phaseMs, deadline, at: hub.ports.clock.now() }
  return { stream: streamOf(maskingId), event }
}

interface MaskingParts {
  readonly context: HubContext
  readonly masking: MaskingThreads
  drive(): Drive
}

export async function performMaskingEffect(
  parts: MaskingParts,
  effect: MaskingEffect,
  { id, stream }: { readonly id: string; readonly stream: string },
): Promise<readonly Dispatch[]> {
  const { context } = parts
  const maskingId = maskingIdIn(stream)
  const { round, bucket } = roundOfMasking(maskingId)
  const at = context.ports.clock.now()
  const toRound = (event: object): Dispatch => ({ stream: `round/${round}`, event: { ...event, at } })
  switch (effect.type) {
    case 'open':
      // The announcement of the round is the invitation.
      return []
    case 'send':
      await postToAll(context, effect.to, effect.message, { round_id: maskingId, body: effect.body }, id)
      return []
    case 'unmask':
      // A round that was cancelled meanwhile needs no sum, and no seed of noise for it.
      if (((await parts.drive().read(stream)) as ServerState | undefined)?.phase !== 'summing') return []
      return [{ stream, event: await unmask(parts, round, effect, at) }]
    case 'report-sum':
      await forgetNoise(context, round)
      warnSpoilt(context, round, effect.facts)
      return [toRound({ type: 'unmasked', bucket, ...reported(effect) })]
    case 'notify-abandoned':
      await forgetNoise(context, round)
      warnSpoilt(context, round, effect)
      // The round tells the participants.
      return [toRound(maskingEnded(bucket, effect))]
  }
}

const reported = ({ facts, sum, added }: Extract<MaskingEffect, { type: 'report-sum' }>) => ({
  ...{ facts, sum },
  ...(added === undefined ? {} : { noise: added }),
})

async function unmask(
  { context, masking, drive }: MaskingParts,
  round: RoundId,
  { order }: Extract<MaskingEffect, { type: 'unmask' }>,
  at: number,
): Promise<ServerEvent> {
  const summing = async (): Promise<ServerEvent> => {
    const noise = await centralNoise(context, drive(), round, order.scale.width)
    const { digest: sum } = await masking.unmask(order, noise?.alter)
    return { type: 'summed', sum, ...(noise === undefined ? {} : { added: noise.added }), at }
  }
  return orElse(summing(), (message) => ({ type: 'summing-failed', message, at }))
}

export type MaskingLetter = 'masking-keys' | 'masking-shares' | 'masking-input' | 'masking-agreement' | 'masking-reveal'

/**
 * The stream and the event of a participant's letter; what the round shows of it is noted first.
 * @throws unknown-round, blob-missing, wrong-shape
 */
export async function maskingEvent(
  context: HubContext,
  drive: Drive,
  type: MaskingLetter,
  { header, body }: Envelope,
  from: OrganisationId,
): Promise<{ stream: string; event: ServerEvent }> {
  const at = context.ports.clock.now()
  const parsed = parseBody(type, body)
  const stream = streamOf(parsed.round_id)
  const { round } = roundOfMasking(parsed.round_id)
  await requireRound(drive, round)
  if (type === 'masking-keys') {
    const { data_sources: dataSources } = parsed as MessageBody<'masking-keys'>
    await noteJoined(drive, round, { organisation: from, dataSources, at }, header.id)
  }
  if (type === 'masking-input')
    await checkVector(context, drive, stream, (parsed as MessageBody<'masking-input'>).body.vector)
  return { stream, event: eventOf(type, parsed.body, from, at) }
}

function eventOf(type: MaskingLetter, body: unknown, from: OrganisationId, at: number): ServerEvent {
  switch (type) {
    case 'masking-keys':
      return { type: 'keys', from, keys: body as MessageBody<'masking-keys'>['body'], at }
    case 'masking-shares':
      return { type: 'shares', from, shares: body as MessageBody<'masking-shares'>['body'], at }
    case 'masking-input':
      return { type: 'vector', from, input: body as MessageBody<'masking-input'>['body'], at }
    case 'masking-agreement':
      return { type: 'agreement', from, agreement: body as MessageBody<'masking-agreement'>['body'], at }
    case 'masking-reveal':
      return { type: 'reveal', from, reveal: body as MessageBody<'masking-reveal'>['body'], at }
  }
}

/** A vector that is not here, or of another length, would make the sum of all the others impossible. */
async function checkVector(context: HubContext, drive: Drive, stream: string, vector: Digest): Promise<void> {
  const state = (await drive.read(stream)) as ServerState | undefined
  if (state?.phase !== 'masking') return
  const due = vectorBytes({ length: state.context.length, scale: rosterOf(state.context, state.members).scale })
  await requireBlob(context, vector, due)
}
