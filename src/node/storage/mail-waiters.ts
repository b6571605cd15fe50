/** Any number of long polls over one listening connection. */

import type { Session } from './session.ts'

export const MAIL_CHANNEL = 'entente_mail'
/** Should a notification ever be lost without the connection breaking, mail is late by this much, not lost. */
const RECHECK_MS = 10_000

export interface MailWaiters {
  wait(recipient: string, after: number, waitMs: number, signal: AbortSignal): Promise<void>
}

/** `position` reads the last position of a mailbox. */
export function createMailWaiters(session: Session, position: (recipient: string) => Promise<number>): MailWaiters {
  const waiting = new Map<string, Set<() => void>>()
  const wake = (recipient: string) => {
    for (const resolve of waiting.get(recipient) ?? []) resolve()
  }
  session.listen(MAIL_CHANNEL, (recipient) => {
    if (recipient !== undefined) wake(recipient)
    else for (const each of waiting.keys()) wake(each)
  })

  /** Resolves on a notification for the recipient, after `waitMs`, or on the signal. */
  function notified(
    recipient: string,
    waitMs: number,
    signal: AbortSignal,
  ): { readonly done: Promise<void>; cancel(): void } {
    const { promise, resolve } = Promise.withResolvers<void>()
    const group = waiting.get(recipient) ?? new Set()
    waiting.set(recipient, group.add(resolve))
    const timer = setTimeout(resolve, waitMs)
    const onAbort = () => resolve()
    signal.addEventListener('abort', onAbort, { once: true })
    const cancel = () => {
      clearTimeout(timer)
      group.delete(resolve)
      if (group.size === 0 && waiting.get(recipient) === group) waiting.delete(recipient)
      signal.removeEventListener('abort', onAbort)
    }
    return { done: promise, cancel }
  }

  return {
    async wait(recipient, after, waitMs, signal) {
      const end = performance.now() + waitMs
      for (let left = waitMs; left > 0 && !signal.aborted; left = end - performance.now()) {
        // Listening begins before looking: mail that arrives in between wakes us.
        const notification = notified(recipient, Math.min(left, RECHECK_MS), signal)
        try {
          if ((await position(recipient)) > after) return
          await notification.done
        } finally {
          notification.cancel()
        }
      }
    },
  }
}
