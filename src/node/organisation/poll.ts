/**
 * The organisation's only source of news: it dials out and asks for mail after its cursor. The cursor moves when the
 * letter's event is durable, so a crash repeats a letter and never skips one; a repeated letter changes nothing.
 */

import { EntenteError } from '../../base/errors.ts'
import type { Mail } from '../ports.ts'
import type { OrganisationContext } from './identity.ts'

export const CURSOR = 'mail-cursor'
const POLL_WAIT_MS = 25_000
const BACK_OFF_MS = 500
const BACK_OFF_MS_MAX = 5_000

/** Polls until the signal aborts. Only the loop's own state is the length of its pause. */
export async function pollForever(
  context: OrganisationContext,
  receive: (mail: Mail) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const { backOffMs = BACK_OFF_MS, backOffMsMax = BACK_OFF_MS_MAX, log } = context.options
  let pause = backOffMs
  while (!signal.aborted) {
    try {
      await pollOnce(context, receive, signal)
      pause = backOffMs
    } catch (error) {
      if (signal.aborted) return
      log?.warn({ error, pauseMs: pause }, 'no news from the hub; trying again after a pause')
      await context.ports.sleep(pause, signal)
      pause = Math.min(2 * pause, backOffMsMax)
    }
  }
}

/** One request and what it brought. @throws the connection's error, or a retryable one of a letter */
export async function pollOnce(
  context: OrganisationContext,
  receive: (mail: Mail) => Promise<void>,
  signal: AbortSignal,
): Promise<number> {
  const { connection, store } = context.ports
  const cursor = ((await store.readValue(CURSOR)) as number | undefined) ?? 0
  const batch = await connection.poll(cursor, context.options.pollWaitMs ?? POLL_WAIT_MS, signal)
  const fresh = batch.filter(({ position }) => position > cursor)
  for (const mail of fresh) {
    if (signal.aborted) break
    await receiveUnlessRefused(context, receive, mail)
    await store.transact((transaction) => transaction.setValue(CURSOR, mail.position))
  }
  return fresh.length
}

/** A letter that will be refused next time too must not stand in the way of those behind it. */
async function receiveUnlessRefused(
  context: OrganisationContext,
  receive: (mail: Mail) => Promise<void>,
  mail: Mail,
): Promise<void> {
  try {
    await receive(mail)
  } catch (error) {
    if (!(error instanceof EntenteError) || error.retryable) throw error
    const { type, id } = mail.envelope.header
    context.options.log?.warn({ error, type, id, position: mail.position }, 'a letter of the hub was refused')
  }
}
