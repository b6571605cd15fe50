/** The contents of the fake database, as the log's entries make them. */

import type { Envelope } from '../../src/base/envelope.ts'
import type { RecordWrite } from '../../src/base/machine.ts'
import type { Job, Mail, StoredEvent } from '../../src/node/ports.ts'

/** One change of one row; a transaction is a list of these in one frame of the log. */
export type Change =
  | { readonly type: 'event'; readonly stream: string; readonly event: StoredEvent; readonly state: unknown }
  | { readonly type: 'forget'; readonly stream: string }
  | ({ readonly type: 'record' } & RecordWrite)
  | { readonly type: 'job'; readonly job: Job }
  | { readonly type: 'job-done'; readonly id: string }
  | { readonly type: 'envelope'; readonly envelope: Envelope }
  | { readonly type: 'mail'; readonly to: string; readonly mail: Mail }
  | { readonly type: 'value'; readonly name: string; readonly value: unknown }

export interface Tables {
  readonly streams: Map<string, { events: StoredEvent[]; ids: Set<string>; state: unknown }>
  readonly collections: Map<string, Map<string, unknown>>
  readonly jobs: Map<string, Job>
  readonly envelopes: Map<string, Envelope>
  readonly mailboxes: Map<string, Mail[]>
  readonly values: Map<string, unknown>
}

export function createTables(): Tables {
  return {
    streams: new Map(),
    collections: new Map(),
    jobs: new Map(),
    envelopes: new Map(),
    mailboxes: new Map(),
    values: new Map(),
  }
}

/** A sender's envelope ids are its own name space. */
export function envelopeKey(envelope: Envelope): string {
  return `${envelope.header.from}/${envelope.header.id}`
}

function entry<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const value = map.get(key) ?? make()
  map.set(key, value)
  return value
}

export function applyChange(tables: Tables, change: Change): void {
  switch (change.type) {
    case 'event': {
      const stream = entry(tables.streams, change.stream, () => ({
        events: [],
        ids: new Set<string>(),
        state: undefined,
      }))
      stream.events.push(change.event)
      stream.ids.add(change.event.id)
      stream.state = change.state
      return
    }
    case 'forget': {
      const events = tables.streams.get(change.stream)?.events ?? []
      events.forEach((event, i) => (events[i] = { ...event, event: {} }))
      return
    }
    case 'record':
      return void entry(tables.collections, change.collection, () => new Map()).set(change.key, change.value)
    case 'job':
      return void tables.jobs.set(change.job.id, change.job)
    case 'job-done':
      return void tables.jobs.delete(change.id)
    case 'envelope':
      return void tables.envelopes.set(envelopeKey(change.envelope), change.envelope)
    case 'mail':
      return void entry(tables.mailboxes, change.to, () => []).push(change.mail)
    case 'value':
      return void tables.values.set(change.name, change.value)
  }
}

/** The tables that a log leads to. */
export function tablesOf(log: readonly unknown[]): Tables {
  const tables = createTables()
  for (const changes of log as readonly (readonly Change[])[]) for (const change of changes) applyChange(tables, change)
  return tables
}
