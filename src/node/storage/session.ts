/**
 * One connection that stands as long as the process: it listens, and it holds the locks by which other processes see that
 * this one lives. When it breaks it is made again, the locks are taken again, and everyone who listens is told, because
 * notifications in between are lost.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Logger } from '../logging.ts'
import { SESSION_OPTIONS } from './keepalive.ts'

export interface Session {
  /** Calls `onNotify` with each payload on the channel, and with undefined whenever some may have been missed. */
  listen(channel: string, onNotify: (payload: string | undefined) => void): void
  /** Holds the advisory lock of a name for as long as the session stands; resolves when it is held the first time. */
  hold(name: string): Promise<void>
  release(name: string): Promise<void>
  close(): Promise<void>
}

/** SQL for the lock number of a name. */
export const LOCK_OF = (parameter: string) => `hashtextextended(${parameter}, 815)`

const DELAY_MS_MAX = 1000

export function createSession(url: string, logger: Logger): Session {
  const listeners = new Map<string, ((payload: string | undefined) => void)[]>()
  const held = new Map<string, PromiseWithResolvers<void>>()
  const closing = new AbortController()
  let current: pg.Client | undefined
  let last: Promise<unknown> = Promise.resolve()

  /** One statement at a time: a connection takes no other while one is under way. */
  function say(client: pg.Client, text: string, values: readonly string[] = []): Promise<unknown> {
    const said = last.then(() => client.query(text, [...values]))
    last = said.catch(() => undefined)
    return said
  }

  const listenTo = (client: pg.Client, channel: string) => say(client, `listen ${client.escapeIdentifier(channel)}`)

  async function acquire(client: pg.Client, name: string): Promise<void> {
    await say(client, `select pg_advisory_lock(${LOCK_OF('$1')})`, [name])
    held.get(name)?.resolve()
  }

  async function establish(client: pg.Client): Promise<void> {
    await client.connect()
    // From here on whoever asks for a channel or a lock asks this client; what was asked for before is asked again.
    current = client
    await Promise.all([
      ...[...listeners.keys()].map((channel) => listenTo(client, channel)),
      ...[...held.keys()].map((name) => acquire(client, name)),
    ])
    for (const callbacks of listeners.values()) for (const callback of callbacks) callback(undefined)
  }

  function newClient(): { client: pg.Client; ended: Promise<void> } {
    const client = new pg.Client({
      connectionString: url,
      connectionTimeoutMillis: 5000,
      keepAlive: true,
      options: SESSION_OPTIONS,
      application_name: 'entente session',
    })
    const ended = Promise.withResolvers<void>()
    client.on('error', () => ended.resolve())
    client.on('end', () => ended.resolve())
    client.on('notification', ({ channel, payload }) => {
      for (const callback of listeners.get(channel) ?? []) callback(payload)
    })
    return { client, ended: ended.promise }
  }

  async function stand(): Promise<void> {
    for (let delayMs = 50; !closing.signal.aborted; delayMs = Math.min(delayMs * 1.5, DELAY_MS_MAX)) {
      const { client, ended } = newClient()
      try {
        await establish(client)
        delayMs = 50
        await Promise.race([ended, aborted(closing.signal)])
      } catch (error) {
        logger.debug({ reason: String(error) }, 'the database session cannot be established')
      }
      current = undefined
      await client.end().catch(() => undefined)
      await sleep(delayMs, undefined, { signal: closing.signal }).catch(() => undefined)
    }
  }
  const standing = stand()

  return {
    listen(channel, onNotify) {
      const callbacks = listeners.get(channel)
      if (callbacks) callbacks.push(onNotify)
      else {
        listeners.set(channel, [onNotify])
        if (current) listenTo(current, channel).catch(() => undefined)
      }
    },
    async hold(name) {
      const known = held.get(name)
      const wanted = known ?? Promise.withResolvers<void>()
      held.set(name, wanted)
      if (current && !known) acquire(current, name).catch(() => undefined)
      await Promise.race([wanted.promise, aborted(closing.signal)])
    },
    async release(name) {
      held.delete(name)
      if (current) await say(current, `select pg_advisory_unlock(${LOCK_OF('$1')})`, [name]).catch(() => undefined)
    },
    async close() {
      closing.abort()
      await standing
    },
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
