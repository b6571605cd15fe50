/**
 * Jobs of the product: graphile-worker in the node's own database, so that a job is enqueued in the transaction that
 * caused it. Added to it here: short back-off, jobs of killed processes (liveness.ts), and a runner that comes back by
 * itself after the database was away.
 */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Job, Jobs } from '../ports.ts'
import type { Database } from './database.ts'
import { reapDeadPools } from './liveness.ts'
import { createRetry } from './retry.ts'
import { type Runner, startRunner } from './runner.ts'

export interface JobsOptions {
  /** Jobs carried out at a time by this process. */
  readonly concurrency?: number
  /** How late a timer may be, in milliseconds; new jobs do not wait for this. */
  readonly pollMs?: number
}

export function createJobs(database: Database, options: JobsOptions = {}): Jobs {
  const { concurrency = 6, pollMs = 400 } = options
  const { pool, logger } = database
  const retry = createRetry(pool)
  let stopping = new AbortController()
  let supervision: Promise<unknown> = Promise.resolve()

  /** One runner after another, until stopped. */
  async function supervise(work: (payload: unknown) => Promise<void>, signal: AbortSignal): Promise<void> {
    const ending: Promise<void>[] = []
    while (!signal.aborted) {
      const runner = await startRunner(database, { concurrency, pollMs, work, signal }).catch((error: unknown) => {
        logger.debug({ reason: String(error) }, 'the job runner cannot start at present')
        return undefined
      })
      if (runner) {
        await Promise.race([runner.failing, aborted(signal)])
        // Jobs under way end in the old runner while the next one already takes new ones.
        ending.push(end(runner, signal))
      }
      if (!signal.aborted) await pause(200, signal)
    }
    await Promise.all(ending)
  }

  async function end(runner: Runner, signal: AbortSignal): Promise<void> {
    if (!signal.aborted) logger.warn('the job runner stopped, as the database was away; starting another')
    await runner.stop()
  }

  return {
    async start(handler) {
      stopping = new AbortController()
      const { signal } = stopping
      const reaping = reapDeadPools(pool, logger, signal, (ms) => pause(ms, signal))
      supervision = Promise.all([reaping, supervise((payload) => retry(payload as Job, handler), signal)])
    },
    async stop() {
      stopping.abort()
      await supervision
    },
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => undefined)
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}
