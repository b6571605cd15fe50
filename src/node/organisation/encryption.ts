/**
 * Rounds under encryption at an organisation: what was trained stays here, encrypted it leaves. The share of the key is
 * read from its file when the node starts, and is used for the one sum of a round that the machine allows.
 */

import { fromBase64Url, toBase64Url } from '../../base/bytes.ts'
import { EntenteError, fail } from '../../base/errors.ts'
import type { Digest, RoundId } from '../../base/ids.ts'
import type { DriveEffect } from '../../base/machine.ts'
import { encryptedStages, encryptionContext, isEncrypted } from '../../learning/encryption-config.ts'
import type { MessageBody } from '../../learning/messages.ts'
import { clipOf } from '../../learning/organisation-privacy.ts'
import { gather, supportOf, vectorLength } from '../../learning/sparsify.ts'
import { ownBucket } from '../../learning/own-bucket.ts'
import type {
  ParticipantEffect,
  ParticipantEvent,
  ParticipantIn,
  ParticipantState,
} from '../../learning/participant-state.ts'
import { outlineOf } from '../../models/model.ts'
import { integersOf, scaleOf } from '../../privacy/homomorphic/packing.ts'
import type { ClientEffect, ClientEvent, ClientState } from '../../privacy/homomorphic/rounds/client-state.ts'
import { encryptionClient } from '../../privacy/homomorphic/rounds/client.ts'
import { keystream } from '../../privacy/masking/keystream.ts'
import { quantise } from '../../privacy/masking/quantise.ts'
import { roundingKey } from '../../privacy/masking/vector.ts'
import type { Dispatch, EffectContext } from '../drive.ts'
import { addInParts, readWhole, store } from '../homomorphic/blobs.ts'
import { readFlat } from '../model-files.ts'
import { type SealedMachine, sealedMachine } from '../sealed-machine.ts'
import { createSealer } from '../sealer.ts'
import type { EncryptionKey, OrganisationContext, OrganisationIdentity } from './identity.ts'
import { deliver } from './letters.ts'
import { pinKeys } from './member-keys.ts'
import { dataSourcesOf } from './train.ts'

type EncryptionEffect = Exclude<ClientEffect, DriveEffect>
type EffectOf<Type extends EncryptionEffect['type']> = Extract<EncryptionEffect, { type: Type }>
type OpenMasking = Extract<ParticipantEffect, { type: 'open-masking' }>
export type SealedEncryption = SealedMachine<ClientState, ClientEvent, ClientEffect>

const SEED_BYTES = 32
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

export interface EncryptionParts {
  readonly context: OrganisationContext
  readonly encryption: SealedEncryption
  /** Hands an event to a stream of this node; once, however often it is called with one id. */
  dispatch(stream: string, event: unknown, id: string): Promise<void>
}

/** The answer to `open-masking` in a round under encryption: an opening with a fresh seed, or why there is none. */
export async function openEncrypting(parts: EncryptionParts, effect: OpenMasking): Promise<Dispatch> {
  const at = parts.context.ports.clock.now()
  try {
    const opened = await openingOf(parts.context, effect, at)
    return { stream: streamOf(effect.roundId), event: parts.encryption.sealEvent(opened) }
  } catch (error) {
    return { stream: `participant/${effect.roundId}`, event: failed(error, at) }
  }
}

/** @throws not-available without a share of just this key; impersonation, not-a-participant */
async function openingOf(
  context: OrganisationContext,
  { roundId, announcement, sampleCount, rounding }: OpenMasking,
  at: number,
): Promise<ClientEvent> {
  const { identity, options, ports } = context
  const { config } = announcement
  const { protection } = config
  if (!isEncrypted(protection)) fail('internal', 'the round is not under encryption')
  const { scheme } = keyOf(context)
  if (scheme.parameters !== config.encryption?.parameters || scheme.kind !== protection)
    fail('not-available', 'this organisation holds no share of the key of this round')
  const { invited } = ownBucket(announcement, identity.organisation)
  await pinKeys(context, invited)
  const length = vectorLength(config, outlineOf(config.model, options.kernels).parameterCount)
  const where = { federation: identity.federation, round: roundId, invited, length }
  return {
    type: 'opened',
    context: encryptionContext({ ...config, protection }, where, scheme, clipOf(config)),
    weight: sampleCount,
    rounding,
    seed: toBase64Url(ports.random.bytes(SEED_BYTES)),
    at,
  }
}

function keyOf({ options }: OrganisationContext): EncryptionKey {
  return options.encryption ?? fail('not-available', 'this organisation holds no share of a key')
}

/** A refusal that will be the same next time ends this organisation's part; anything else is thrown, to be tried again. */
function failed(error: unknown, at: number): ParticipantEvent {
  if (!(error instanceof EntenteError) || error.retryable) throw error
  return { type: 'masking-failed', code: error.code, message: error.message, at }
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
    const state = await participantOf(context, round)
    if (state?.phase !== 'masking') return []
    switch (effect.type) {
      case 'encrypt':
        return [{ stream, event: { type: 'encrypted', vector: await encrypt(context, state, effect), at: at() } }]
      case 'sum':
        return [{ stream, event: { type: 'summed', sum: await sumOf(context, effect), at: at() } }]
      case 'open-partially':
        return [
          { stream, event: { type: 'partially-opened', partial: await openPartially(context, effect), at: at() } },
        ]
    }
  } catch (error) {
    return [{ stream: `participant/${round}`, event: failed(error, at()) }]
  }
}

async function participantOf({ ports }: OrganisationContext, round: RoundId): Promise<ParticipantState | undefined> {
  return (await ports.store.readStream(`participant/${round}`))?.state as ParticipantState | undefined
}

const bytesIn = (base64: string): Uint8Array => fromBase64Url(base64) ?? fail('internal', 'not base64url')

async function encrypt(
  context: OrganisationContext,
  { trained, announcement }: ParticipantIn<'masking'>,
  { weight, weightMax, clip, rounding, seed, statement }: EffectOf<'encrypt'>,
): Promise<Digest> {
  const { scheme } = keyOf(context)
  const { blobs } = context.ports
  const update = (await readFlat(blobs, trained.update.digest)).values
  const support = supportOf(announcement.config, announcement.round, update.length)
  const values = support === null ? update : gather(support, update)
  const draws = keystream(bytesIn(roundingKey(rounding)))
  const { words, clipped } = quantise(values, weight, scaleOf(scheme, clip, weightMax), draws)
  if (clipped > 0) context.options.log?.warn({ clipped, of: values.length }, 'values of the update were cut off')
  return store(blobs, await scheme.encrypt(integersOf(words), bytesIn(seed), statement))
}

/** The sum of the listed contributions, from the contributions themselves. */
async function sumOf(context: OrganisationContext, { vectors, statements, length }: EffectOf<'sum'>): Promise<Digest> {
  const { scheme } = keyOf(context)
  const { blobs, connection } = context.ports
  const added = await addInParts(scheme, vectors, async (digest, i) => {
    if ((await blobs.size(digest)) === undefined) await connection.download(digest, blobs)
    const vector = await readWhole(blobs, digest)
    const found = await scheme.check(vector, statements[i] ?? fail('internal', 'a vector comes without its purpose'))
    if (found.length !== length || found.contributions !== 1)
      fail('wrong-shape', 'the hub lists a vector that is not one contribution to this round')
    return vector
  })
  return store(blobs, added)
}

async function openPartially(
  context: OrganisationContext,
  { sum, statement, seed }: EffectOf<'open-partially'>,
): Promise<Digest> {
  const { scheme, share } = keyOf(context)
  const { blobs } = context.ports
  const partial = await scheme.partialDecrypt(await readWhole(blobs, sum), share, statement, bytesIn(seed))
  return store(blobs, partial)
}

async function send(
  context: OrganisationContext,
  round: RoundId,
  { message, body }: EffectOf<'send'>,
  id: string,
): Promise<void> {
  if (message === 'encryption-contribution') await context.ports.connection.upload(body.vector, context.ports.blobs)
  const letter = { round_id: round, body }
  if (message !== 'encryption-join') return deliver(context, message, letter, id)
  const state = await participantOf(context, round)
  const sources = state?.phase === 'masking' ? dataSourcesOf(context, state.announcement.config) : []
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
  await connection.upload(body.partial, blobs)
  const state = await participantOf(context, round)
  if (state?.phase === 'masking')
    await dispatch(`participant/${round}`, maskedEvent(state, report, context), `${id}/masked`)
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
