/** A node's connections to its database: a pool for work, and one standing session for locks and notifications. */

import pg from 'pg'
import { EntenteError } from '../../base/errors.ts'
import { type Logger, silentLogger } from '../logging.ts'
import { databaseError } from './errors.ts'
import { SESSION_OPTIONS } from './keepalive.ts'
import { migrate } from './schema.ts'
import { createSession, type Session } from './session.ts'

export interface Database {
  readonly url: string
  readonly pool: pg.Pool
  readonly session: Session
  readonly logger: Logger
  /** @throws unavailable */
  ping(): Promise<void>
  close(): Promise<void>
}

export interface DatabaseOptions {
  readonly logger?: Logger
  /** Connections for work, one of which listens for jobs; another stands for locks and mail. A server process each. */
  readonly connectionsMax?: number
}

const CONNECT_MS_MAX = 5000

/** Connects, and brings the tables up to date. @throws unavailable, config-invalid (password, no such database) */
export async function openDatabase(url: string, options: DatabaseOptions = {}): Promise<Database> {
  const logger = options.logger ?? silentLogger
  const pool = createPool(url, options.connectionsMax ?? 5, logger)
  try {
    await migrate(pool, logger)
  } catch (error) {
    await pool.end()
    throw databaseError(error)
  }
  const session = createSession(url, logger)
  return {
    url,
    pool,
    session,
    logger,
    ping: async () =>
      void (await pool.query('select 1').catch((error: unknown) => Promise.reject(databaseError(error)))),
    close: async () => {
      await session.close()
      await pool.end()
    },
  }
}

export function createPool(url: string, max: number, logger: Logger): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    max,
    idleTimeoutMillis: 30_000,
    connectionTimeoutMillis: CONNECT_MS_MAX,
    keepAlive: true,
    options: SESSION_OPTIONS,
    application_name: 'entente',
  })
  // Without these two handlers a database that goes away would take the process with it.
  const note = (error: Error) => logger.debug({ reason: error.message }, 'a database connection was lost')
  pool.on('error', note)
  pool.on('connect', (client) => client.on('error', note))
  return pool
}

export async function query<Row extends pg.QueryResultRow>(
  on: pg.Pool | pg.PoolClient,
  statement: { readonly name: string; readonly text: string },
  values: readonly unknown[],
): Promise<pg.QueryResult<Row>> {
  try {
    return await on.query<Row>({ ...statement, values: [...values] })
  } catch (error) {
    throw databaseError(error)
  }
}

/** Exactly what JSON says of the value. @throws internal for what JSON cannot say at all */
export function encode(value: unknown): string {
  const text = JSON.stringify(value)
  if (text === undefined) throw new EntenteError('internal', 'only JSON values can be stored')
  return text
}
