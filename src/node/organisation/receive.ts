/** Letters of the hub: authenticate -> parse -> an event of the stream that it concerns. */

import type { Envelope } from '../../base/envelope.ts'
import { EntenteError, fail } from '../../base/errors.ts'
import { authenticate } from '../../gateway/authenticate.ts'
import { isMessageType, parseBody } from '../../learning/messages.ts'
import { heightKey, type LedgerRecord } from '../../ledger/log.ts'
import type { Drive } from '../drive.ts'
import type { Mail } from '../ports.ts'
import type { OrganisationContext } from './identity.ts'
import { encryptionEvent } from './encryption.ts'
import { maskingEvent } from './masking.ts'

/** Where the node keeps the proof when the log has shown two histories; it is never overwritten. */
export const CONFLICT_VALUE = 'ledger-conflict'

/** @throws the code of the first check that fails; then nothing but evidence of a conflict is stored */
export async function receiveMail(context: OrganisationContext, drive: Drive, { envelope }: Mail): Promise<void> {
  const { identity, ports } = context
  const now = ports.clock.now()
  const keyOf = () => identity.hubKey
  authenticate(envelope, { federation: identity.federation, self: identity.organisation, now, keyOf, peer: 'hub' })
  const { stream, event } = await eventOf(context, envelope, now)
  try {
    await drive.dispatch(stream, event, { id: `hub/${envelope.header.id}`, envelope })
  } catch (error) {
    await keepConflict(context, error)
    throw error
  }
}

async function eventOf(
  context: OrganisationContext,
  { header, body }: Envelope,
  at: number,
): Promise<{ stream: string; event: unknown }> {
  const { type } = header
  if (!isMessageType(type)) fail('invalid-request', `this node does not take messages of the type ${type}`)
  switch (type) {
    case 'round-announced': {
      const announcement = parseBody(type, body)
      return { stream: `participant/${announcement.round_id}`, event: { type: 'announced', announcement, at } }
    }
    case 'block-proposed': {
      const { id, block } = parseBody(type, body)
      return { stream: `participant/${id}`, event: { type: 'proposal', id, block, at } }
    }
    case 'round-abandoned': {
      const { round_id, reason } = parseBody(type, body)
      return { stream: `participant/${round_id}`, event: { type: 'abandoned', reason, at } }
    }
    case 'masking-roster':
    case 'masking-inbox':
    case 'masking-survivors':
    case 'masking-quorum':
      return maskingEvent(type, parseBody(type, body), at)
    case 'encryption-roster':
    case 'encryption-list':
    case 'encryption-quorum':
      return encryptionEvent(type, parseBody(type, body), at)
    case 'block-published':
      return {
        stream: 'replica',
        event: { type: 'block-received', ...(await withKnown(context, parseBody(type, body))), at },
      }
    default:
      return fail('invalid-request', `the hub does not send messages of the type ${type}`)
  }
}

/** Adds the record that we have at the block's height, so that an old block can be compared too. */
async function withKnown<Body extends { readonly checkpoint: string }>({ ports }: OrganisationContext, body: Body) {
  const size = Number(body.checkpoint.split('\n', 2)[1])
  if (!Number.isSafeInteger(size) || size < 1) return body
  const known = (await ports.store.readRecord('ledger', heightKey(size - 1))) as LedgerRecord | undefined
  return known === undefined ? body : { ...body, known }
}

/** Two notes of one log that contradict each other prove to anyone that it lied: the proof is kept. */
async function keepConflict({ ports, options }: OrganisationContext, error: unknown): Promise<void> {
  if (!(error instanceof EntenteError) || error.code !== 'ledger-conflict') return
  options.log?.error({ error }, 'the ledger contradicts itself; the signed notes are kept as evidence')
  if ((await ports.store.readValue(CONFLICT_VALUE)) !== undefined) return
  await ports.store.transact((transaction) =>
    transaction.setValue(CONFLICT_VALUE, { message: error.message, ...error.details }),
  )
}
