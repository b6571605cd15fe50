/**
 * Stops a real process at one transition, without any hook in the product: a trigger on the table of events waits, before
 * the insert of a chosen event, for an advisory lock that the test holds. The process is then frozen inside its
 * transaction, before the commit: the event has been decided and is not stored.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'

export interface Transition {
  readonly stream: string
  /** Type of the event that is about to be stored. */
  readonly event: string
  /** Only events whose JSON contains this. */
  readonly containing?: string
  /** The first of them by default. */
  readonly nth?: number
}

export interface Gate {
  /** Resolves when a transaction stands at the gate, to the port of the client that it serves. @throws if none comes */
  reached(timeoutMs?: number): Promise<{ readonly clientPort: number }>
  /** Lets everything pass from now on; works after the database was killed, too. Any number of calls are one. */
  open(): Promise<void>
}

/** First half of the advisory locks' keys; the second half is the gate's number. */
const LOCK_CLASS = 715_001

const INSTALL = `
  create schema if not exists gates;
  create table if not exists gates.closed (
    number serial primary key, stream text not null, event text not null, containing text not null, nth int not null);
  create or replace function gates.pass() returns trigger language plpgsql as $$
    declare one gates.closed;
    begin
      for one in select * from gates.closed where stream = new.stream loop
        if new.event::json->>'type' = one.event and position(one.containing in new.event) > 0 and one.nth = 1 + (
            select count(*) from entente.events stored where stored.stream = new.stream
              and stored.event::json->>'type' = one.event and position(one.containing in stored.event) > 0)
        then perform pg_advisory_xact_lock(${LOCK_CLASS}, one.number);
        end if;
      end loop;
      return new;
    end $$;
  create or replace trigger gates before insert on entente.events for each row execute function gates.pass();`

/** Once per database, when its node has made its tables. */
export async function installGates(databaseUrl: string): Promise<void> {
  await withClient(databaseUrl, (client) => client.query(INSTALL))
}

export async function closeGate(databaseUrl: string, transition: Transition): Promise<Gate> {
  const { stream, event, containing = '', nth = 1 } = transition
  const holder = new pg.Client({ connectionString: databaseUrl })
  // The test may kill the server that this connection is to.
  holder.on('error', () => undefined)
  await holder.connect()
  const { rows } = await holder.query<{ number: number }>(`select nextval('gates.closed_number_seq')::int as number`)
  const number = rows[0]?.number ?? 0
  await holder.query('select pg_advisory_lock($1, $2)', [LOCK_CLASS, number])
  const row = [number, stream, event, containing, nth]
  await holder.query(
    'insert into gates.closed (number, stream, event, containing, nth) values ($1, $2, $3, $4, $5)',
    row,
  )
  let opened: Promise<void> | undefined

  async function reached(timeoutMs = 60_000): Promise<{ clientPort: number }> {
    for (const end = performance.now() + timeoutMs; performance.now() < end; await sleep(20)) {
      const waiting = await holder.query<{ client_port: number }>(WAITING, [LOCK_CLASS, number])
      if (waiting.rows[0] !== undefined) return { clientPort: waiting.rows[0].client_port }
    }
    throw new Error(`nothing came to "${event}" of ${stream} within ${timeoutMs} ms`)
  }

  async function openOnce(): Promise<void> {
    await holder.end().catch(() => undefined)
    await untilDone(() => withClient(databaseUrl, (client) => client.query(FORGET, [number])))
  }

  return { reached, open: () => (opened ??= openOnce()) }
}

const WAITING = `select client_port from pg_locks join pg_stat_activity using (pid)
  where locktype = 'advisory' and classid = $1 and objid = $2 and not granted`
const FORGET = 'delete from gates.closed where number = $1'

/** Until the database, restarted by its supervisor, answers again. */
async function untilDone(work: () => Promise<unknown>): Promise<void> {
  for (const end = performance.now() + 60_000; ; await sleep(50)) {
    try {
      await work()
      return
    } catch (error) {
      if (performance.now() > end) throw error
    }
  }
}

export async function withClient<T>(databaseUrl: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 5000 })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end().catch(() => undefined)
  }
}
