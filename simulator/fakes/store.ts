/** Store on virtual time. */

import type { Envelope } from '../../src/base/envelope.ts'
import type { Party } from '../../src/base/ids.ts'
import type { Job, Mail, Store, StoredEvent, StreamState, Transaction } from '../../src/node/ports.ts'
import type { Database } from './database.ts'
import { createLocks, SerialisationFailure } from './locks.ts'
import type { Process } from './process.ts'
import { type Change, envelopeKey, type Tables } from './tables.ts'

export interface StoreFaults {
  /** Probability that a transaction is rolled back at its commit and run again. */
  readonly serialisationFailure: number
}

interface Pending {
  readonly transaction: Transaction
  readonly changes: readonly Change[]
}

export function createStore(
  process: Process,
  database: Database,
  faults: StoreFaults = { serialisationFailure: 0 },
): Store {
  const { tables } = database
  const { random } = process.scheduler
  const locks = createLocks()

  async function attempt<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    const { transaction, changes } = begin(tables, (holder, key) => locks.acquire(holder, key))
    try {
      const result = await work(transaction)
      if (random.uniform() < faults.serialisationFailure) throw new SerialisationFailure('could not serialise access')
      if (changes.length > 0) await database.commit(changes, labelOf(changes))
      return result
    } finally {
      locks.release(transaction)
    }
  }

  async function transact<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    for (;;) {
      await process.point('begin')
      try {
        return await attempt(work)
      } catch (error) {
        if (!(error instanceof SerialisationFailure)) throw error
      }
    }
  }

  async function reading<T>(read: () => T): Promise<T> {
    await process.point('read')
    return read()
  }

  return {
    transact,
    readStream: (stream) => reading(() => streamState(tables, stream)),
    readEvents: (stream) => reading(() => tables.streams.get(stream)?.events ?? []),
    listStreams: (kind) =>
      reading(() => [...tables.streams.keys()].filter((id) => id === kind || id.startsWith(`${kind}/`)).toSorted()),
    readRecord: (collection, key) => reading(() => tables.collections.get(collection)?.get(key)),
    readRecords: (collection, from, to, limit) =>
      reading(() => recordsBetween(tables, collection, from, to).slice(0, limit)),
    readMail: (recipient, after, limit) => reading(() => mailAfter(tables, recipient, after).slice(0, limit)),
    awaitMail: (recipient, after, waitMs, signal) => awaitMail(process, database, { recipient, after, waitMs, signal }),
    readValue: (name) => reading(() => tables.values.get(name)),
  }
}

/** Changes are held back until the commit; reads of the transaction see them. */
function begin(tables: Tables, acquire: (holder: object, key: string) => Promise<void>): Pending {
  const changes: Change[] = []
  const lock = (key: string) => acquire(transaction, key)
  const own = <T extends Change['type']>(type: T) =>
    changes.filter((change): change is Extract<Change, { type: T }> => change.type === type)

  const transaction: Transaction = {
    async lockStream(stream) {
      await lock(`stream ${stream}`)
      const pending = own('event').filter((change) => change.stream === stream)
      const last = pending.at(-1)
      return last === undefined ? streamState(tables, stream) : { seq: last.event.seq + 1, state: last.state }
    },
    async hasEvent(stream, eventId) {
      if (own('event').some((change) => change.stream === stream && change.event.id === eventId)) return true
      return tables.streams.get(stream)?.ids.has(eventId) ?? false
    },
    async append(stream: string, event: StoredEvent, state: unknown) {
      changes.push({ type: 'event', stream, event, state })
    },
    async forgetEvents(stream: string) {
      changes.push({ type: 'forget', stream })
    },
    async writeRecords(records) {
      for (const { collection, key, value } of records) {
        await lock(`record ${collection}/${key}`)
        changes.push({ type: 'record', collection, key, value })
      }
    },
    async enqueue(jobs: readonly Job[]) {
      for (const job of jobs) changes.push({ type: 'job', job })
    },
    async recordEnvelope(envelope: Envelope) {
      const key = envelopeKey(envelope)
      await lock(`envelope ${key}`)
      if (tables.envelopes.has(key) || own('envelope').some((change) => envelopeKey(change.envelope) === key))
        return false
      changes.push({ type: 'envelope', envelope })
      return true
    },
    async postMail(to: Party, envelope: Envelope) {
      await lock(`mailbox ${to}`)
      const box = [
        ...(tables.mailboxes.get(to) ?? []),
        ...own('mail').flatMap((change) => (change.to === to ? [change.mail] : [])),
      ]
      if (box.some((mail) => mail.envelope.header.id === envelope.header.id)) return
      changes.push({ type: 'mail', to, mail: { position: box.length + 1, envelope } })
    },
    async setValue(name, value) {
      await lock(`value ${name}`)
      changes.push({ type: 'value', name, value })
    },
  }
  return { transaction, changes }
}

function labelOf(changes: readonly Change[]): string {
  const event = changes.find((change) => change.type === 'event')
  if (event === undefined) return changes[0]?.type ?? 'nothing'
  const type = (event.event.event as { type?: unknown } | null)?.type
  return `${event.stream} ${event.event.seq} ${String(type)}`
}

function streamState(tables: Tables, id: string): StreamState | undefined {
  const stream = tables.streams.get(id)
  return stream === undefined ? undefined : { seq: stream.events.length, state: stream.state }
}

function recordsBetween(
  tables: Tables,
  collection: string,
  from: string,
  to: string,
): { key: string; value: unknown }[] {
  const records = [...(tables.collections.get(collection) ?? [])]
  return records
    .filter(([key]) => from <= key && key <= to)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => ({ key, value }))
}

function mailAfter(tables: Tables, recipient: string, after: number): readonly Mail[] {
  return (tables.mailboxes.get(recipient) ?? []).filter((mail) => mail.position > after)
}

interface MailWait {
  readonly recipient: Party
  readonly after: number
  readonly waitMs: number
  readonly signal: AbortSignal
}

function awaitMail(
  process: Process,
  database: Database,
  { recipient, after, waitMs, signal }: MailWait,
): Promise<void> {
  if (signal.aborted || mailAfter(database.tables, recipient, after).length > 0) return process.point('mail is there')
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(), { once: true })
    process.after(waitMs, resolve)
    database.onCommit((changes) => {
      if (changes.some((change) => change.type === 'mail' && change.to === recipient)) process.after(0, resolve)
    })
  })
}
