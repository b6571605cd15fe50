/** The hub's letters to organisations, and the mailboxes that organisations poll. */

import type { Envelope } from '../../base/envelope.ts'
import { signEnvelope } from '../../base/envelope.ts'
import type { OrganisationId } from '../../base/ids.ts'
import { derivedId } from '../derived-id.ts'
import type { Mail } from '../ports.ts'
import { type HubContext, LETTER_LIFETIME_MS } from './identity.ts'

const MAIL_BATCH = 64

/** A signed letter whose id follows from `key`: carried out twice, an effect posts it once. */
export function letter(context: HubContext, to: OrganisationId, type: string, body: unknown, key: string): Envelope {
  const now = context.ports.clock.now()
  const expiresAt = now + (context.options.letterLifetimeMs ?? LETTER_LIFETIME_MS)
  const header = {
    type,
    id: derivedId(key, to),
    from: 'hub' as const,
    to,
    federation: context.identity.federation,
    issuedAt: now,
    expiresAt,
  }
  return signEnvelope(header, body, context.identity.secret)
}

/** Posts the same body to several organisations in one transaction, in sorted order so that two hubs never deadlock. */
export async function postToAll(
  context: HubContext,
  recipients: readonly OrganisationId[],
  type: string,
  body: unknown,
  key: string,
): Promise<void> {
  const letters = [...recipients].sort().map((to) => letter(context, to, type, body, key))
  await context.ports.store.transact(async (transaction) => {
    for (const envelope of letters) await transaction.postMail(envelope.header.to, envelope)
  })
}

/** Mail of `organisation` after position `after`, waiting up to `waitMs` for the first. */
export async function readMailbox(
  context: HubContext,
  organisation: OrganisationId,
  after: number,
  waitMs: number,
  signal: AbortSignal,
): Promise<readonly Mail[]> {
  const { store, clock } = context.ports
  await store.transact((transaction) => transaction.setValue(seenValue(organisation), clock.now()))
  const mail = await store.readMail(organisation, after, MAIL_BATCH)
  if (mail.length > 0 || waitMs <= 0) return mail
  await store.awaitMail(organisation, after, waitMs, signal)
  return store.readMail(organisation, after, MAIL_BATCH)
}

const seenValue = (organisation: OrganisationId): string => `seen/${organisation}`

/** When an organisation last asked for mail, milliseconds since the epoch. */
export async function lastSeen(context: HubContext, organisation: OrganisationId): Promise<number | null> {
  const seen = await context.ports.store.readValue(seenValue(organisation))
  return typeof seen === 'number' ? seen : null
}
