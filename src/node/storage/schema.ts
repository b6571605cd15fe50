/**
 * Tables of a node: one database each, schema `entente`. Whatever a machine stores is JSON **text**: jsonb would reorder
 * keys, change numbers (1e400, -0) and refuse \u0000, and a state must come back exactly as it was.
 * Names that are compared or sorted have the collation "C", so that order does not depend on the server's locale.
 */

import { runMigrations } from 'graphile-worker'
import type pg from 'pg'
import type { Logger } from '../logging.ts'
import { graphileLogger } from './graphile-logger.ts'

/** Never edit one that was released: append. */
const MIGRATIONS: readonly string[] = [
  `create table entente.streams (
     id text collate "C" primary key, kind text collate "C" not null, seq bigint not null, state text not null);
   create index streams_by_kind on entente.streams (kind, id);
   create table entente.events (
     stream text collate "C" not null, seq bigint not null, id text collate "C" not null, event text not null,
     recorded_at timestamptz not null default now(),
     primary key (stream, seq), constraint events_once unique (stream, id));
   create table entente.records (
     collection text collate "C" not null, key text collate "C" not null, value text not null,
     primary key (collection, key));
   create table entente.envelopes (
     sender text collate "C" not null, id text collate "C" not null, type text not null, envelope text not null,
     recorded_at timestamptz not null default now(),
     primary key (sender, id));
   create table entente.mailboxes (recipient text collate "C" primary key, position bigint not null);
   create table entente.mail (
     recipient text collate "C" not null, position bigint not null, sender text collate "C" not null,
     id text collate "C" not null, envelope text not null,
     primary key (recipient, position), constraint mail_once unique (recipient, sender, id));
   create table entente.named_values (name text collate "C" primary key, value text not null);`,
]

/** Any number of processes may start at once on one database: the first migrates, the others wait for it. */
const MIGRATION_LOCK = 7_236_118_450_102

export async function migrate(pool: pg.Pool, logger: Logger): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK])
    await applyMissing(client)
    await runMigrations({ pgPool: pool, logger: graphileLogger(logger) })
  } finally {
    // Destroyed rather than returned: ending the session gives the lock back whatever happened.
    client.release(true)
  }
}

async function applyMissing(client: pg.PoolClient): Promise<void> {
  await client.query('create schema if not exists entente')
  await client.query(
    'create table if not exists entente.migrations (number integer primary key, applied_at timestamptz not null default now())',
  )
  const { rows } = await client.query<{ number: number }>('select number from entente.migrations')
  const applied = new Set(rows.map((row) => row.number))
  for (const [number, statements] of MIGRATIONS.entries()) {
    if (!applied.has(number)) await applyOne(client, number, statements)
  }
}

async function applyOne(client: pg.PoolClient, number: number, statements: string): Promise<void> {
  await client.query('begin')
  try {
    await client.query(statements)
    await client.query('insert into entente.migrations (number) values ($1)', [number])
    await client.query('commit')
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw error
  }
}
