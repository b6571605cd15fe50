/**
 * Who still lives. A job that a process takes is marked with the name of its worker pool, and stays marked if the process
 * is killed; graphile-worker waits four hours before it believes that. Here every process holds, on its standing session,
 * an advisory lock with the name of its pool. The database gives up the locks of a session that ends, so a lock that can
 * be had means that its holder is dead, and its jobs go back to the others.
 */

import type pg from 'pg'
import type { Logger } from '../logging.ts'
import { LOCK_OF } from './session.ts'

export const SCAN_MS = 350
/**
 * How long a pool must be seen without its lock. After a restart of the database all sessions come back one by one: the
 * first must not take the jobs of those that are a moment late.
 */
export const GRACE_MS = 900

/** Runs scans until `signal` aborts. Resolves when the last one has ended. */
export async function reapDeadPools(
  pool: pg.Pool,
  logger: Logger,
  signal: AbortSignal,
  pause: (ms: number) => Promise<void>,
): Promise<void> {
  const missingSince = new Map<string, number>()
  for (; !signal.aborted; await pause(SCAN_MS)) {
    try {
      const missing = await poolsWithoutLock(pool)
      const dead = confirm(missing, missingSince, performance.now())
      if (dead.length > 0)
        logger.warn({ pools: dead, jobs: await returnJobsOf(pool, dead) }, 'took back the jobs of dead processes')
    } catch (error) {
      // While the database is away nobody can prove to be alive.
      missingSince.clear()
      logger.debug({ reason: String(error) }, 'cannot look for dead processes at present')
    }
  }
}

function confirm(missing: readonly string[], missingSince: Map<string, number>, now: number): string[] {
  for (const name of missingSince.keys()) if (!missing.includes(name)) missingSince.delete(name)
  for (const name of missing) if (!missingSince.has(name)) missingSince.set(name, now)
  return missing.filter((name) => now - (missingSince.get(name) ?? now) >= GRACE_MS)
}

/** Must not run on the standing session itself: a session always gets the locks that it holds. */
async function poolsWithoutLock(pool: pg.Pool): Promise<string[]> {
  const { rows } = await pool.query<{ name: string }>({
    name: 'pools-without-lock',
    text: `with holders as materialized (select distinct locked_by as name from graphile_worker._private_jobs where locked_by is not null)
      select name from holders where pg_try_advisory_xact_lock(${LOCK_OF('name')})`,
  })
  return rows.map(({ name }) => name)
}

/** Makes the jobs of these worker pools available at once; number of jobs. */
export async function returnJobsOf(pool: pg.Pool, names: readonly string[]): Promise<number> {
  const { rows } = await pool.query<{ jobs: string }>(
    'select count(*) as jobs from graphile_worker._private_jobs where locked_by = any($1)',
    [names],
  )
  const jobs = Number(rows[0]?.jobs ?? 0)
  await pool.query('select graphile_worker.force_unlock_workers($1)', [names])
  await wakeWorkers(pool, jobs)
  return jobs
}

/** Tells idle workers of every process to look for jobs now. */
export async function wakeWorkers(pool: pg.Pool, count: number): Promise<void> {
  if (count > 0) await pool.query(`select pg_notify('jobs:insert', json_build_object('count', $1::int)::text)`, [count])
}
