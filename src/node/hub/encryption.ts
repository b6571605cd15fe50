/**
 * Rounds under encryption at the hub: opens the machine of a round, hands letters to and fro, adds ciphertexts, verifies and
 * combines what organisations open. It holds public parameters only.
 */

import { z } from 'zod'
import type { Envelope } from '../../base/envelope.ts'
import { EntenteError, fail } from '../../base/errors.ts'
import type { Digest, OrganisationId, RoundId } from '../../base/ids.ts'
import type { DriveEffect } from '../../base/machine.ts'
import { encryptionContext, isEncrypted } from '../../learning/encryption-config.ts'
import { HIDDEN_AMONG_MIN } from '../../learning/masking-config.ts'
import { type MessageBody, parseBody } from '../../learning/messages.ts'
import { clipOf } from '../../learning/organisation-privacy.ts'
import { contributionPurpose, rosterOf } from '../../privacy/homomorphic/rounds/context.ts'
import type { Contribution } from '../../privacy/homomorphic/rounds/messages.ts'
import type { ServerEffect, ServerEvent, ServerState } from '../../privacy/homomorphic/rounds/server-state.ts'
import type { HomomorphicScheme } from '../../privacy/homomorphic/scheme.ts'
import type { Dispatch, Drive } from '../drive.ts'
import { addInParts, readWhole, store } from '../homomorphic/blobs.ts'
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

export type EncryptionEffect = Exclude<ServerEffect, DriveEffect>

const STREAM = 'decrypting/'
const streamOf = (round: RoundId): string => `${STREAM}${round}`
const roundIn = (stream: string): RoundId => stream.slice(STREAM.length) as RoundId

export const isDecryptingStream = (stream: string): boolean => stream.startsWith(STREAM)

/** @throws not-available unless this hub has the parameters of just this key */
async function schemeOf({ options }: HubContext, parameters: Digest | undefined): Promise<HomomorphicScheme> {
  const scheme = await options.encryption?.()
  if (scheme === undefined || scheme.parameters !== parameters)
    fail('not-available', `this hub does not have the parameters ${parameters ?? ''} of a key`)
  return scheme
}

/**
 * What a training under encryption is asked for, with the key of this hub where none is named.
 * @throws not-available without one
 */
export async function withKey({ options }: HubContext, config: unknown): Promise<unknown> {
  const asked = askedSchema.safeParse(config)
  if (!asked.success || !isEncrypted(asked.data.protection)) return config
  const scheme = await options.encryption?.()
  if (scheme?.kind !== asked.data.protection)
    fail('not-available', `this hub has no parameters of ${asked.data.protection}: name them in entente.yaml`)
  const { parameters, threshold } = scheme
  const round = { participantsMin: Math.max(HIDDEN_AMONG_MIN, threshold), ...asked.data.round }
  return { ...asked.data, encryption: asked.data['encryption'] ?? { parameters, threshold }, round }
}

const askedSchema = z.looseObject({ protection: z.string(), round: z.looseObject({}).optional() })

/** The answer to the effect `open-masking` of a round under encryption; or the end of the round, with its reason. */
export async function openDecrypting(context: HubContext, effect: OpenMasking): Promise<Dispatch> {
  const { maskingId: round, config, deadline } = effect
  const { protection } = config
  const at = context.ports.clock.now()
  try {
    if (!isEncrypted(protection)) fail('internal', 'the round is not under encryption')
    const scheme = await schemeOf(context, config.encryption?.parameters)
    const where = whereHidden(context, effect)
    const opened = encryptionContext({ ...config, protection }, where, scheme, clipOf(config))
    const event = { type: 'opened', context: opened, phaseMs: config.masking.phaseMs, deadline, at }
    return { stream: streamOf(round), event }
  } catch (error) {
    if (!(error instanceof EntenteError)) throw error
    const event = { type: 'masking-ended', bucket: 0, reason: 'cancelled', detail: error.message, at }
    return { stream: `round/${round}`, event }
  }
}

export async function performEncryptionEffect(
  context: HubContext,
  drive: Drive,
  effect: EncryptionEffect,
  { id, stream }: { readonly id: string; readonly stream: string },
): Promise<readonly Dispatch[]> {
  const round = roundIn(stream)
  const at = context.ports.clock.now()
  const toRound = (event: object): Dispatch => ({ stream: `round/${round}`, event: { ...event, bucket: 0, at } })
  const failed = (message: string): ServerEvent => ({ type: 'work-failed', message, at })
  switch (effect.type) {
    case 'send':
      await postToAll(context, effect.to, effect.message, { round_id: round, body: effect.body }, id)
      return []
    case 'sum':
      return [{ stream, event: await orElse(sum(context, drive, stream, effect.vectors), failed) }]
    case 'combine':
      return [{ stream, event: await orElse(combine(context, drive, stream, effect), failed) }]
    case 'report-sum':
      warnSpoilt(context, round, effect.facts)
      return [toRound({ type: 'unmasked', facts: effect.facts, sum: effect.sums })]
    case 'notify-abandoned':
      warnSpoilt(context, round, effect)
      // The round tells the participants.
      return [toRound(maskingEnded(0, effect))]
  }
}

async function openedScheme(context: HubContext, drive: Drive, stream: string): Promise<HomomorphicScheme> {
  const state = (await drive.read(stream)) as ServerState | undefined
  return schemeOf(context, state !== undefined && 'context' in state ? state.context.parameters : undefined)
}

async function sum(
  context: HubContext,
  drive: Drive,
  stream: string,
  vectors: readonly Digest[],
): Promise<ServerEvent> {
  const { blobs, clock } = context.ports
  const scheme = await openedScheme(context, drive, stream)
  const added = await addInParts(scheme, vectors, (vector) => readWhole(blobs, vector))
  return { type: 'summed', sum: await store(blobs, added), at: clock.now() }
}

/** The opened integers, 32 bits each, little-endian: what the aggregation reads. */
async function combine(
  context: HubContext,
  drive: Drive,
  stream: string,
  { sum: digest, statement, partials }: Extract<EncryptionEffect, { type: 'combine' }>,
): Promise<ServerEvent> {
  const { blobs, clock } = context.ports
  const scheme = await openedScheme(context, drive, stream)
  const given = await Promise.all(
    partials.map(async ({ organisation, partial }) => ({ organisation, bytes: await readWhole(blobs, partial) })),
  )
  const combination = await scheme.combine(await readWhole(blobs, digest), given, statement)
  const { blamed } = combination
  if (!combination.opened) return { type: 'not-combined', reason: combination.reason, blamed, at: clock.now() }
  const words = new Uint8Array(Int32Array.from(combination.sums).buffer)
  return { type: 'combined', sums: await store(blobs, words), used: combination.used, blamed, at: clock.now() }
}

export type EncryptionLetter =
  | 'encryption-join'
  | 'encryption-contribution'
  | 'encryption-agreement'
  | 'encryption-partial'

/**
 * The stream and the event of a participant's letter; what the round shows of it is noted first.
 * @throws unknown-round, blob-missing, wrong-shape, input-invalid
 */
export async function encryptionEvent(
  context: HubContext,
  drive: Drive,
  type: EncryptionLetter,
  { header, body }: Envelope,
  from: OrganisationId,
): Promise<{ stream: string; event: ServerEvent }> {
  const at = context.ports.clock.now()
  const parsed = parseBody(type, body)
  const round = parsed.round_id
  await requireRound(drive, round)
  const event = eventOf(type, parsed.body, from, at)
  if (type === 'encryption-join') {
    const { data_sources: dataSources } = parsed as MessageBody<'encryption-join'>
    await noteJoined(drive, round, { organisation: from, dataSources, at }, header.id)
  }
  if (event.type === 'contribution') await checkVector(context, drive, streamOf(round), event.contribution)
  if (event.type === 'partial') await requireBlob(context, event.partial.partial)
  return { stream: streamOf(round), event }
}

function eventOf(type: EncryptionLetter, body: unknown, from: OrganisationId, at: number): ServerEvent {
  switch (type) {
    case 'encryption-join':
      return { type: 'joined', from, join: body as MessageBody<'encryption-join'>['body'], at }
    case 'encryption-contribution':
      return {
        type: 'contribution',
        from,
        contribution: body as MessageBody<'encryption-contribution'>['body'],
        at,
      }
    case 'encryption-agreement':
      return { type: 'agreement', from, agreement: body as MessageBody<'encryption-agreement'>['body'], at }
    case 'encryption-partial':
      return { type: 'partial', from, partial: body as MessageBody<'encryption-partial'>['body'], at }
  }
}

/** Anything but one well-formed contribution of the round's length would make the sum of all others impossible. */
async function checkVector(
  context: HubContext,
  drive: Drive,
  stream: string,
  { organisation, vector }: Contribution,
): Promise<void> {
  const state = (await drive.read(stream)) as ServerState | undefined
  if (state?.phase !== 'gathering') return
  const { parameters, vectorBytes, length } = state.context
  await requireBlob(context, vector, vectorBytes)
  const scheme = await schemeOf(context, parameters)
  const purpose = contributionPurpose(rosterOf(state.context, state.members), organisation)
  const found = await scheme.check(await readWhole(context.ports.blobs, vector), purpose)
  if (found.length !== length || found.contributions !== 1)
    fail('wrong-shape', `the vector is not one contribution of ${length} coordinates`)
}
