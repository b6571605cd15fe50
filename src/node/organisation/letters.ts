/** What an organisation says to the hub. Each letter is signed anew for each delivery, under an id that stays the same. */

import { toHex } from '../../base/bytes.ts'
import { type Envelope, signEnvelope } from '../../base/envelope.ts'
import { EntenteError } from '../../base/errors.ts'
import type { MessageType } from '../../learning/messages.ts'
import { derivedId } from '../derived-id.ts'
import type { OrganisationContext } from './identity.ts'

const LETTER_LIFETIME_MS = 10 * 60_000

function letter(
  { ports, identity, options }: OrganisationContext,
  type: MessageType,
  body: unknown,
  id: string,
): Envelope {
  const issuedAt = ports.clock.now()
  const expiresAt = issuedAt + (options.letterLifetimeMs ?? LETTER_LIFETIME_MS)
  const { federation, organisation: from } = identity
  return signEnvelope({ type, id, from, to: 'hub', federation, issuedAt, expiresAt }, body, identity.secret)
}

/** Delivers the letter of an effect. That the hub has it already means that an earlier delivery lost its reply. */
export async function deliver(
  context: OrganisationContext,
  type: MessageType,
  body: unknown,
  effectId: string,
): Promise<void> {
  const id = derivedId(effectId, context.identity.organisation)
  try {
    await context.ports.connection.deliver(letter(context, type, body, id))
  } catch (error) {
    if (!(error instanceof EntenteError) || error.code !== 'envelope-replayed') throw error
  }
}

export async function leaveFederation(context: OrganisationContext): Promise<void> {
  await deliver(context, 'leave', {}, `leave/${toHex(context.ports.random.bytes(16))}`)
}
