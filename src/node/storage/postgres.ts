/**
 * The Store of the product, over plain SQL.
 *
 * S1 a transaction is visible as a whole or not at all, and durable when `transact` resolves
 * S2 whoever holds a stream's lock is alone with it, before its first event too
 * S3 mail positions are gapless and become visible in order: a reader that has seen n never finds a later n - 1
 * S4 a transaction is repeated only after the database said that it was rolled back
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { EntenteError } from '../../base/errors.ts'
import type { Envelope } from '../../base/envelope.ts'
import type { Store, Transaction } from '../ports.ts'
import { type Database, query } from './database.ts'
import { databaseError, isConflict } from './errors.ts'
import { createMailWaiters } from './mail-waiters.ts'
import { createTransaction } from './transaction.ts'

const ATTEMPTS_MAX = 12

export function createPostgresStore(database: Database): Store {
  const { pool, session } = database
  const waiters = createMailWaiters(session, async (recipient) => {
    const { rows } = await query<{ position: string }>(pool, READ_POSITION, [recipient])
    return Number(rows[0]?.position ?? 0)
  })

  return {
    async transact(work) {
      for (let attempt = 1; ; attempt++) {
        try {
          return await runOnce(pool, work)
        } catch (error) {
          if (!isConflict(error) || attempt === ATTEMPTS_MAX) throw error
          await sleep(attempt * 5 * (1 + (attempt % 3)))
        }
      }
    },
    async readStream(stream) {
      const { rows } = await query<{ seq: string; state: string }>(pool, READ_STREAM, [stream])
      const row = rows[0]
      return row && { seq: Number(row.seq), state: JSON.parse(row.state) }
    },
    async readEvents(stream) {
      const { rows } = await query<{ seq: string; id: string; event: string }>(pool, READ_EVENTS, [stream])
      return rows.map(({ seq, id, event }) => ({ seq: Number(seq), id, event: JSON.parse(event) }))
    },
    async listStreams(kind) {
      const { rows } = await query<{ id: string }>(pool, LIST_STREAMS, [kind])
      return rows.map(({ id }) => id)
    },
    async readRecord(collection, key) {
      const { rows } = await query<{ value: string }>(pool, READ_RECORD, [collection, key])
      return rows[0] && JSON.parse(rows[0].value)
    },
    async readRecords(collection, from, to, limit) {
      const { rows } = await query<{ key: string; value: string }>(pool, READ_RECORDS, [collection, from, to, limit])
      return rows.map(({ key, value }) => ({ key, value: JSON.parse(value) }))
    },
    async readMail(recipient, after, limit) {
      const { rows } = await query<{ position: string; envelope: string }>(pool, READ_MAIL, [recipient, after, limit])
      return rows.map(({ position, envelope }) => ({
        position: Number(position),
        envelope: JSON.parse(envelope) as Envelope,
      }))
    },
    awaitMail: (recipient, after, waitMs, signal) => waiters.wait(recipient, after, waitMs, signal),
    async readValue(name) {
      const { rows } = await query<{ value: string }>(pool, READ_VALUE, [name])
      return rows[0] && JSON.parse(rows[0].value)
    },
  }
}

async function runOnce<T>(pool: pg.Pool, work: (transaction: Transaction) => Promise<T>): Promise<T> {
  const client = await pool.connect().catch((error: unknown) => Promise.reject(databaseError(error)))
  let broken = true
  try {
    await query(client, BEGIN, [])
    const result = await work(createTransaction(client))
    await commit(client)
    broken = false
    return result
  } catch (error) {
    broken = !(await rolledBack(client))
    throw error
  } finally {
    client.release(broken)
  }
}

/** A transaction in which a statement failed answers COMMIT with ROLLBACK, and without an error. */
async function commit(client: pg.PoolClient): Promise<void> {
  const { command } = await query(client, COMMIT, [])
  if (command !== 'COMMIT')
    throw new EntenteError('internal', 'a statement failed inside the transaction, and the failure was ignored')
}

async function rolledBack(client: pg.PoolClient): Promise<boolean> {
  return client.query('rollback').then(
    () => true,
    () => false,
  )
}

const BEGIN = { name: '', text: 'begin' }
const COMMIT = { name: '', text: 'commit' }
const READ_STREAM = { name: 'read-stream', text: 'select seq, state from entente.streams where id = $1' }
const READ_EVENTS = {
  name: 'read-events',
  text: 'select seq, id, event from entente.events where stream = $1 order by seq',
}
const LIST_STREAMS = { name: 'list-streams', text: 'select id from entente.streams where kind = $1 order by id' }
const READ_RECORD = {
  name: 'read-record',
  text: 'select value from entente.records where collection = $1 and key = $2',
}
const READ_RECORDS = {
  name: 'read-records',
  text: 'select key, value from entente.records where collection = $1 and key between $2 and $3 order by key limit $4',
}
const READ_MAIL = {
  name: 'read-mail',
  text: 'select position, envelope from entente.mail where recipient = $1 and position > $2 order by position limit $3',
}
const READ_POSITION = { name: 'read-position', text: 'select position from entente.mailboxes where recipient = $1' }
const READ_VALUE = { name: 'read-value', text: 'select value from entente.named_values where name = $1' }
