/**
 * Rounds under encryption at an organisation: what was trained stays here, encrypted it leaves. The share of the key is
 * read from its file when the node starts, and is used for the one sum of a round that the machine allows.
 */

import { fromBase64Url } from '../../base/bytes.ts'
import { fail } from '../../base/errors.ts'
import type { Digest, RoundId } from '../../base/ids.ts'
import type { DriveEffect } from '../../base/machine.ts'
import { encryptedStages, encryptionContext, isEncrypted } from '../../learning/encryption-config.ts'
import type { MessageBody } from '../../learning/messages.ts'
import { clipOf } from '../../learning/organisation-privacy.ts'
import type { ParticipantEvent, ParticipantIn } from '../../learning/participant-state.ts'
import { integersOf, scaleOf } from '../../privacy/homomorphic/packing.ts'
import type { ClientEffect, ClientEvent, ClientState } from '../../privacy/homomorphic/rounds/client-state.ts'
import { encryptionClient } from '../../privacy/homomorphic/rounds/client.ts'
import { keystream } from '../../privacy/masking/keystream.ts'
import { quantise } from '../../privacy/masking/quantise.ts'
import { roundingKey } from '../../privacy/masking/vector.ts'
import type { Dispatch, EffectContext } from '../drive.ts'
import { addInParts, readWhole } from '../homomorphic/blobs.ts'
import { readFlat } from '../model-files.ts'
import { type SealedMachine, sealedMachine } from '../sealed-machine.ts'
import { createSealer } from '../sealer.ts'
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
import type { EncryptionKey, OrganisationContext, OrganisationIdentity } from './identity.ts'
import { deliver } from './letters.ts'
import { forgetIfOver, nameRoundBlob, writeRoundBlob } from './round-blobs.ts'

type EncryptionEffect = Exclude<ClientEffect, DriveEffect>
type EffectOf<Type extends EncryptionEffect['type']> = Extract<EncryptionEffect, { type: Type }>
export type SealedEncryption = SealedMachine<ClientState, ClientEvent, ClientEffect>

const STREAM = 'encrypting/'
const streamOf = (round: RoundId): string => `${STREAM}${round}`
const roundIn = (stream: string): RoundId => stream.slice(STREAM.length) as RoundId

export const isEncryptingStream = (stream: string): boolean => stream.startsWith(STREAM)

const OPEN_PHASES: ReadonlySet<string> = new Set<ClientState['phase']>(['idle', 'given', 'abandoned'])
const SECRET_EFFECTS: ReadonlySet<string> = new Set<EncryptionEffect['type']>(['encrypt', 'open-partially'])

export function sealedEncryption({
  organisation,
  secret,
}: Pick<OrganisationIdentity, 'organisation' | 'secret'>): SealedEncryption {
  return sealedMachine(encryptionClient({ organisation, secret }), createSealer(secret, 'encryption'), {
    isSecretState: ({ phase }) => !OPEN_PHASES.has(phase),
    isSecretEffect: ({ type }) => SECRET_EFFECTS.has(type),
  })
}

export interface EncryptionParts extends HiddenParts {
  readonly encryption: SealedEncryption
}

/** The answer to `open-masking` in a round under encryption: an opening with a fresh seed, or why there is none. */
export async function openEncrypting(parts: EncryptionParts, effect: OpenMasking): Promise<Dispatch> {
  const at = parts.context.ports.clock.now()
  try {
    const opened = await openingOf(parts.context, effect, at)
    return { stream: streamOf(effect.roundId), event: parts.encryption.sealEvent(opened) }
  } catch (error) {
    return { stream: `participant/${effect.roundId}`, event: endOfPart(error, at) }
  }
}

/** @throws not-available without a share of just this key; impersonation, not-a-participant */
async function openingOf(
  context: OrganisationContext,
  { roundId, announcement, sampleCount, rounding }: OpenMasking,
  at: number,
): Promise<ClientEvent> {
  const { config } = announcement
  const { protection } = config
  if (!isEncrypted(protection)) fail('internal', 'the round is not under encryption')
  const { scheme } = keyOf(context)
  if (scheme.parameters !== config.encryption?.parameters || scheme.kind !== protection)
    fail('not-available', 'this organisation holds no share of the key of this round')
  const where = await whereHidden(context, announcement, roundId)
  return {
    type: 'opened',
    context: encryptionContext({ ...config, protection }, where, scheme, clipOf(config)),
    weight: sampleCount,
    rounding,
    seed: freshSeed(context),
    at,
  }
}

function keyOf({ options }: OrganisationContext): EncryptionKey {
  return options.encryption ?? fail('not-available', 'this organisation holds no share of a key')
}

export async function performEncryptionEffect(
  parts: EncryptionParts,
  stored: unknown,
  { id, stream }: EffectContext,
): Promise<readonly Dispatch[]> {
  const { context, encryption } = parts
  const effect = encryption.openEffect(stored) as EncryptionEffect
  const round = roundIn(stream)
  const at = (): number => context.ports.clock.now()
  try {
    if (effect.type === 'send') await send(context, round, effect, id)
    if (effect.type === 'give') await give(parts, round, effect, id)
    if (effect.type === 'send' || effect.type === 'give') return []
    // What was ordered for a round that is over is not worth minutes of work.
    const state = await hidingIn(context, round)
    if (state === undefined) {
      await forgetIfOver(context, round)
      return []
    }
    const event = { ...(await work(context, state, effect)), at: at() }
    await forgetIfOver(context, round)
    return [{ stream, event }]
  } catch (error) {
    return [{ stream: `participant/${round}`, event: endOfPart(error, at()) }]
  }
}

async function work(
  context: OrganisationContext,
  state: ParticipantIn<'masking'>,
  effect: EffectOf<'encrypt' | 'sum' | 'open-partially'>,
): Promise<object> {
  switch (effect.type) {
    case 'encrypt':
      return { type: 'encrypted', vector: await encrypt(context, state, effect) }
    case 'sum':
      return { type: 'summed', sum: await sumOf(context, state.roundId, effect) }
    case 'open-partially':
      return { type: 'partially-opened', partial: await openPartially(context, state.roundId, effect) }
  }
}

const bytesIn = (base64: string): Uint8Array => fromBase64Url(base64) ?? fail('internal', 'not base64url')

async function encrypt(
  context: OrganisationContext,
  state: ParticipantIn<'masking'>,
  { weight, weightMax, clip, rounding, seed, statement }: EffectOf<'encrypt'>,
): Promise<Digest> {
  const { scheme } = keyOf(context)
  const { blobs } = context.ports
  const values = (await partThatLeaves(context, state)) ?? (await readFlat(blobs, state.trained.update.digest)).values
  const draws = keystream(bytesIn(roundingKey(rounding)))
  const { words, clipped } = quantise(values, weight, scaleOf(scheme, clip, weightMax), draws)
  if (clipped > 0) context.options.log?.warn({ clipped, of: values.length }, 'values of the update were cut off')
  return storeFor(context, state.roundId, await scheme.encrypt(integersOf(words), bytesIn(seed), statement))
}

/** The sum of the listed contributions, from the contributions themselves. */
async function sumOf(
  context: OrganisationContext,
  round: RoundId,
  { vectors, statements, length }: EffectOf<'sum'>,
): Promise<Digest> {
  const { scheme } = keyOf(context)
  const { blobs, connection } = context.ports
  const added = await addInParts(scheme, vectors, async (digest, i) => {
    if ((await blobs.size(digest)) === undefined) await connection.download(digest, blobs)
    const vector = await readWhole(blobs, digest)
    const found = await scheme.check(vector, statements[i] ?? fail('internal', 'a vector comes without its purpose'))
    if (found.length !== length || found.contributions !== 1)
      fail('wrong-shape', 'the hub lists a vector that is not one contribution to this round')
    // Only what is a contribution to this round: the hub could name a model.
    await nameRoundBlob(context, round, digest)
    return vector
  })
  return storeFor(context, round, added)
}

async function openPartially(
  context: OrganisationContext,
  round: RoundId,
  { sum, statement, seed }: EffectOf<'open-partially'>,
): Promise<Digest> {
  const { scheme, share } = keyOf(context)
  const { blobs } = context.ports
  const partial = await scheme.partialDecrypt(await readWhole(blobs, sum), share, statement, bytesIn(seed))
  return storeFor(context, round, partial)
}

async function storeFor(context: OrganisationContext, round: RoundId, bytes: Uint8Array): Promise<Digest> {
  return (await writeRoundBlob(context, round, bytes)).digest
}

async function send(
  context: OrganisationContext,
  round: RoundId,
  { message, body }: EffectOf<'send'>,
  id: string,
): Promise<void> {
  const { connection, blobs } = context.ports
  if (await isAbandoned(context, round)) return
  // Once the round has gone on, the hub has it, and it may be forgotten here.
  if (message === 'encryption-contribution' && (await hidingIn(context, round)) !== undefined)
    await connection.upload(body.vector, blobs)
  const letter = { round_id: round, body }
  if (message !== 'encryption-join') return deliver(context, message, letter, id)
  const sources = await declaredSources(context, round)
  return deliver(context, message, { ...letter, data_sources: sources }, id)
}

/**
 * As soon as enough have opened the sum there may be a block: so what it must say is known to the participant before. A second
 * run, after a crash in between, finds that known already, and delivers.
 */
async function give(
  { context, dispatch }: EncryptionParts,
  round: RoundId,
  { report, body }: EffectOf<'give'>,
  id: string,
): Promise<void> {
  const { connection, blobs } = context.ports
  const state = await hidingIn(context, round)
  if (state === undefined && (await isAbandoned(context, round))) return
  if (state !== undefined) {
    await connection.upload(body.partial, blobs)
    await dispatch(`participant/${round}`, maskedEvent(state, report, context), `${id}/masked`)
  }
  await deliver(context, 'encryption-partial', { round_id: round, body }, id)
}

function maskedEvent(
  { trained }: ParticipantIn<'masking'>,
  report: EffectOf<'give'>['report'],
  { ports }: OrganisationContext,
): ParticipantEvent {
  return {
    type: 'masked',
    update: { digest: report.vector, size: report.facts.vectorBytes },
    sampleCount: report.weight,
    stages: encryptedStages(trained.stages ?? [], report.facts),
    survivors: report.list,
    at: ports.clock.now(),
  }
}

export function closeEncrypting(round: RoundId, reason: string, at: number): Dispatch {
  return { stream: streamOf(round), event: { type: 'abandoned', reason, at } }
}

export type HubEncryptionLetter = 'encryption-roster' | 'encryption-list' | 'encryption-quorum'

/** The event of a letter of the hub. */
export function encryptionEvent<Type extends HubEncryptionLetter>(
  type: Type,
  { round_id, body }: MessageBody<Type>,
  at: number,
): { stream: string; event: unknown } {
  const named: Record<HubEncryptionLetter, object> = {
    'encryption-roster': { type: 'roster', members: body },
    'encryption-list': { type: 'list', list: body },
    'encryption-quorum': { type: 'quorum', agreements: body },
  }
  return { stream: streamOf(round_id), event: { ...named[type], at } }
}
