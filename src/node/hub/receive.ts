/** What an organisation says to the hub: authenticate -> parse -> validate -> one transaction. */

import { fromBase64 } from '../../base/bytes.ts'
import type { Envelope } from '../../base/envelope.ts'
import { fail } from '../../base/errors.ts'
import { sha256Hex } from '../../base/hash.ts'
import { type OrganisationId, organisationId, type Party } from '../../base/ids.ts'
import { authenticate } from '../../gateway/authenticate.ts'
import { type ContributionBody, isMessageType, parseBody } from '../../learning/messages.ts'
import { contributionReceived } from '../../learning/round-contributions.ts'
import type { RoundState } from '../../learning/round-state.ts'
import { roundMachine } from '../../learning/round.ts'
import { keyAt } from '../../registry/read.ts'
import type { Drive } from '../drive.ts'
import { writeBlob } from '../model-files.ts'
import { type HubContext, INLINE_BYTES_MAX } from './identity.ts'
import { REGISTRY_STREAM, registryState } from './members.ts'
import { checkUpdate } from './check-update.ts'
import { encryptionEvent } from './encryption.ts'
import { maskingEvent } from './masking.ts'
import { leaveTrainings } from './trainings.ts'
import { validatedEvent } from './validation.ts'

/** Sent back for an accepted message: it is durable. */
export interface Receipt {
  /** Id of the accepted envelope. */
  readonly ack: string
  /** Milliseconds since the epoch: when the round is aggregated at the latest. Contributions only. */
  readonly aggregation_eta?: number
}

/**
 * Takes in a signed message. `peer` is who the TLS certificate says is on the line.
 * @throws the code of the first check that fails; then nothing is stored
 */
export async function receive(
  context: HubContext,
  drive: Drive,
  envelope: Envelope,
  { peer }: { peer: Party },
): Promise<Receipt> {
  const now = context.ports.clock.now()
  const registry = await registryState(drive)
  const keyOf = (party: Party, at: number) => keyAt(registry, party as OrganisationId, at)
  authenticate(envelope, { federation: context.identity.federation, self: 'hub', now, keyOf, peer })
  const from = organisationId(envelope.header.from)
  const { type } = envelope.header
  if (!isMessageType(type)) fail('invalid-request', `the hub does not take messages of the type ${type}`)
  switch (type) {
    case 'contribution':
      return contribute(context, drive, envelope, from)
    case 'block-signature':
      return signBlock(context, drive, envelope, from)
    case 'round-declined':
      return decline(context, drive, envelope, from)
    case 'leave':
      return leave(context, drive, envelope, from)
    case 'model-validated': {
      const { stream, event } = await validatedEvent(context, drive, envelope, from)
      return dispatchOnce(drive, stream, event, envelope)
    }
    case 'masking-keys':
    case 'masking-shares':
    case 'masking-input':
    case 'masking-agreement':
    case 'masking-reveal': {
      const { stream, event } = await maskingEvent(context, drive, type, envelope, from)
      return dispatchOnce(drive, stream, event, type === 'masking-reveal' ? headOf(envelope) : envelope)
    }
    case 'encryption-join':
    case 'encryption-contribution':
    case 'encryption-agreement':
    case 'encryption-partial': {
      const { stream, event } = await encryptionEvent(context, drive, type, envelope, from)
      return dispatchOnce(drive, stream, event, envelope)
    }
    default:
      fail('invalid-request', `only the hub sends messages of the type ${type}`)
  }
}

async function contribute(
  context: HubContext,
  drive: Drive,
  envelope: Envelope,
  from: OrganisationId,
): Promise<Receipt> {
  const { body, inline } = parseContribution(envelope.body)
  const event = contributionReceived(body, from, envelope.header.id, context.ports.clock.now())
  const stream = `round/${body.round_id}`
  const state = (await drive.read(stream)) as RoundState | undefined
  if (state === undefined || state.phase === 'unopened') fail('unknown-round', `there is no round ${body.round_id}`)
  if (!(await isKnown(context, stream, envelope))) {
    // Asked before a byte is read: the round's own refusals cost nothing, and the machine is pure.
    roundMachine.step(state, event)
    if (inline !== undefined) await writeBlob(context.ports.blobs, inline, body.encrypted_gradient.blob.digest)
    await checkUpdate(context, state, body.encrypted_gradient)
  }
  await dispatchOnce(drive, stream, event, envelope)
  return { ack: envelope.header.id, aggregation_eta: state.deadline }
}

async function signBlock(
  context: HubContext,
  drive: Drive,
  envelope: Envelope,
  from: OrganisationId,
): Promise<Receipt> {
  const body = parseBody('block-signature', envelope.body)
  const event = { type: 'block-signed', ...body, organisation: from, at: context.ports.clock.now() }
  return dispatchOnce(drive, 'ledger', event, envelope)
}

async function decline(context: HubContext, drive: Drive, envelope: Envelope, from: OrganisationId): Promise<Receipt> {
  const body = parseBody('round-declined', envelope.body)
  const stream = `round/${body.round_id}`
  if ((await drive.read(stream)) === undefined) fail('unknown-round', `there is no round ${body.round_id}`)
  return dispatchOnce(
    drive,
    stream,
    { type: 'participant-left', organisation: from, at: context.ports.clock.now() },
    envelope,
  )
}

async function leave(context: HubContext, drive: Drive, envelope: Envelope, from: OrganisationId): Promise<Receipt> {
  parseBody('leave', envelope.body)
  // Trainings first: if we stop in between, the sender's second try does the rest.
  await leaveTrainings(context, drive, from, eventId(envelope))
  const event = { type: 'organisation-left', organisation: from, at: context.ports.clock.now() }
  return dispatchOnce(drive, REGISTRY_STREAM, event, envelope)
}

/** Ids are unique per sender only: without the name, one sender could use up the ids of another. */
const eventId = (envelope: Envelope): string => `${envelope.header.from}/${envelope.header.id}`

/**
 * What is kept of a letter with revealed shares: with them and the masked vectors, whoever has the hub's disk later could sum
 * the round again, without the noise that the hub may have added. The header has the digest of the body, and is signed.
 */
const headOf = (envelope: Envelope): Envelope => ({ ...envelope, body: null })

async function dispatchOnce(drive: Drive, stream: string, event: unknown, envelope: Envelope): Promise<Receipt> {
  const { applied } = await drive.dispatch(stream, event, { id: eventId(envelope), envelope })
  if (!applied)
    fail('envelope-replayed', `${envelope.header.from} has used the envelope id ${envelope.header.id} before`)
  return { ack: envelope.header.id }
}

async function isKnown(context: HubContext, stream: string, envelope: Envelope): Promise<boolean> {
  return context.ports.store.transact((transaction) => transaction.hasEvent(stream, eventId(envelope)))
}

/** The contribution, and its bytes where they came inside the envelope instead of as a blob. */
function parseContribution(body: unknown): { body: ContributionBody; inline?: Uint8Array } {
  const gradient = (body as { encrypted_gradient?: { inline?: unknown } } | null)?.encrypted_gradient
  if (typeof gradient !== 'object' || gradient === null || !('inline' in gradient))
    return { body: parseBody('contribution', body) }
  const { inline, ...rest } = gradient
  const bytes = typeof inline === 'string' && inline.length <= 1.4 * INLINE_BYTES_MAX ? fromBase64(inline) : undefined
  if (bytes === undefined) fail('invalid-request', 'encrypted_gradient.inline is not base64 (RFC 4648 section 4)')
  if (bytes.length > INLINE_BYTES_MAX)
    fail('body-too-large', `at most ${INLINE_BYTES_MAX} bytes can be sent inline; upload a blob`)
  const named = { blob: { digest: sha256Hex(bytes), size: bytes.length }, ...rest }
  return { body: parseBody('contribution', { ...(body as object), encrypted_gradient: named }), inline: bytes }
}
