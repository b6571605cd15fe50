/** The statements of one transaction, see the invariants in postgres.ts. Isolation level: READ COMMITTED. */

import type pg from 'pg'
import { EntenteError } from '../../base/errors.ts'
import type { StreamState, Transaction } from '../ports.ts'
import { encode, query } from './database.ts'
import { MAIL_CHANNEL } from './mail-waiters.ts'

/** Task of graphile-worker that carries out every effect. */
export const TASK = 'effect'
/** Jobs are tried until they succeed; graphile-worker wants a number. */
export const ATTEMPTS_MAX = 32_767

export function createTransaction(client: pg.PoolClient): Transaction {
  async function lockedRow(stream: string): Promise<StreamState | undefined> {
    const { rows } = await query<{ seq: string; state: string }>(client, LOCK_ROW, [stream])
    return rows[0] && { seq: Number(rows[0].seq), state: JSON.parse(rows[0].state) }
  }

  return {
    /**
     * A stream that exists is locked by its row. One that does not has no row: there a lock on its name decides who makes
     * it, and whoever waited looks again, in a statement of its own, because only a new statement sees what was committed.
     */
    async lockStream(stream) {
      const row = await lockedRow(stream)
      if (row) return row
      await query(client, LOCK_NAME, [stream])
      return lockedRow(stream)
    },
    async hasEvent(stream, eventId) {
      return (await query(client, HAS_EVENT, [stream, eventId])).rowCount === 1
    },
    async append(stream, { seq, id, event }, state) {
      const kind = stream.split('/', 1)[0]
      const { rowCount } = await query(client, APPEND, [stream, seq, id, encode(event), kind, encode(state)])
      if (rowCount !== 1) throw new EntenteError('internal', `event ${seq} does not follow the last one of ${stream}`)
    },
    async forgetEvents(stream) {
      await query(client, FORGET_EVENTS, [stream])
    },
    async writeRecords(records) {
      if (records.length === 0) return
      // A statement may touch a row once: of several writes to one key the last counts.
      const last = new Map(records.map((record) => [JSON.stringify([record.collection, record.key]), record]))
      const rows = [...last.values()]
      await query(client, WRITE_RECORDS, [
        rows.map(({ collection }) => collection),
        rows.map(({ key }) => key),
        rows.map(({ value }) => encode(value)),
      ])
    },
    async enqueue(jobs) {
      if (jobs.length === 0) return
      await query(client, ENQUEUE, [
        jobs.map(({ id }) => id),
        jobs.map(({ id, stream, effect, runAt }) =>
          encode({ id, stream, effect, ...(runAt === undefined ? {} : { runAt }) }),
        ),
        jobs.map(({ runAt }) => (runAt === undefined ? null : new Date(runAt).toISOString())),
      ])
    },
    async recordEnvelope(envelope) {
      const { from, id, type } = envelope.header
      return (await query(client, RECORD_ENVELOPE, [from, id, type, encode(envelope)])).rowCount === 1
    },
    /**
     * The row of the mailbox is locked until the commit, so positions are given and become visible in one order. The usual
     * sequence would not do: a reader could see 8 while 7 is not committed yet, and never look at 7 again.
     */
    async postMail(to, envelope) {
      await query(client, LOCK_MAILBOX, [to])
      await query(client, POST_MAIL, [to, envelope.header.from, envelope.header.id, encode(envelope)])
    },
    async setValue(name, value) {
      await query(client, SET_VALUE, [name, encode(value)])
    },
  }
}

const LOCK_ROW = { name: 'lock-row', text: 'select seq, state from entente.streams where id = $1 for update' }
const LOCK_NAME = { name: 'lock-name', text: 'select pg_advisory_xact_lock(hashtextextended($1, 4711))' }
const HAS_EVENT = { name: 'has-event', text: 'select 1 from entente.events where stream = $1 and id = $2' }
/** The state is replaced only by the event that follows the last one. */
const APPEND = {
  name: 'append',
  text: `with appended as (insert into entente.events (stream, seq, id, event) values ($1, $2::bigint, $3, $4))
    insert into entente.streams as streams (id, kind, seq, state) select $1, $5, $2::bigint + 1, $6
      where $2::bigint = 0 or exists (select 1 from entente.streams where id = $1)
    on conflict (id) do update set seq = excluded.seq, state = excluded.state where streams.seq = $2::bigint`,
}
const FORGET_EVENTS = { name: 'forget-events', text: `update entente.events set event = '{}' where stream = $1` }
const WRITE_RECORDS = {
  name: 'write-records',
  text: `insert into entente.records (collection, key, value) select * from unnest($1::text[], $2::text[], $3::text[])
    on conflict (collection, key) do update set value = excluded.value`,
}
/** A job that is already waiting or under way under this id stays as it is. */
const ENQUEUE = {
  name: 'enqueue',
  text: `select (graphile_worker.add_job('${TASK}', payload := payload::json, run_at := run_at, max_attempts := ${ATTEMPTS_MAX},
      job_key := id, job_key_mode := 'unsafe_dedupe')).id
    from unnest($1::text[], $2::text[], $3::timestamptz[]) as jobs (id, payload, run_at)`,
}
const RECORD_ENVELOPE = {
  name: 'record-envelope',
  text: 'insert into entente.envelopes (sender, id, type, envelope) values ($1, $2, $3, $4) on conflict do nothing',
}
const LOCK_MAILBOX = {
  name: 'lock-mailbox',
  text: `insert into entente.mailboxes as box (recipient, position) values ($1, 0)
    on conflict (recipient) do update set position = box.position`,
}
const POST_MAIL = {
  name: 'post-mail',
  text: `with posted as (
      insert into entente.mail (recipient, position, sender, id, envelope)
        select recipient, position + 1, $2, $3, $4 from entente.mailboxes where recipient = $1
      on conflict on constraint mail_once do nothing returning position)
    update entente.mailboxes as box set position = posted.position from posted where box.recipient = $1
    returning pg_notify('${MAIL_CHANNEL}', $1)`,
}
const SET_VALUE = {
  name: 'set-value',
  text: 'insert into entente.named_values (name, value) values ($1, $2) on conflict (name) do update set value = excluded.value',
}
