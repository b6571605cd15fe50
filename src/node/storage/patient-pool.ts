/**
 * The pool as graphile-worker sees it. When the answer to "give me a job" is lost with the connection, the database may
 * have given one, marked as taken by a pool that lives and will never carry it out; and when "this job is done" is lost,
 * graphile-worker ends with traces on the console. So a lost statement here answers nothing and calls `onLost`, upon which
 * the runner is replaced by one of another name and everything marked with the old name is freed.
 */

import type pg from 'pg'
import { databaseError, isConflict } from './errors.ts'

type Connect = pg.Pool['connect']
type Answer = Pick<pg.QueryResult, 'rows' | 'rowCount'>

export function patientPool(pool: pg.Pool, onLost: () => void): pg.Pool {
  async function orNothing<T>(work: Promise<T>, nothing: T): Promise<T> {
    try {
      return await work
    } catch (error) {
      if (isConflict(error) || databaseError(error).code !== 'unavailable') throw error
      onLost()
      return nothing
    }
  }

  async function connect(): Promise<pg.PoolClient> {
    const client = await orNothing<pg.PoolClient | undefined>(pool.connect(), undefined)
    if (!client) return { query: async () => NOTHING, release: () => undefined } as unknown as pg.PoolClient
    let lost = false
    const query = (...statement: Parameters<pg.PoolClient['query']>) => {
      const asked = client.query(...statement) as unknown as Promise<Answer>
      return orNothing(
        asked.catch((error: unknown) => {
          lost = true
          throw error
        }),
        NOTHING,
      )
    }
    return replacing(client, { query, release: () => client.release(lost) })
  }

  // The form with a callback is the one of the listener, which reconnects by itself.
  const either = (callback?: (...given: Parameters<Parameters<Connect>[0]>) => void) =>
    callback ? pool.connect(callback) : connect()
  return replacing(pool, { connect: either })
}

const NOTHING: Answer = { rows: [], rowCount: 0 }

function replacing<T extends object>(original: T, replaced: Readonly<Record<string, unknown>>): T {
  return new Proxy(original, {
    get(target, name) {
      if (typeof name === 'string' && Object.hasOwn(replaced, name)) return replaced[name]
      const value: unknown = Reflect.get(target, name)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
