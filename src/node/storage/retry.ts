/**
 * What happens to a job whose handler throws. graphile-worker waits exp(attempts) seconds, which is minutes after a hub
 * was away for a while. So the job is enqueued again instead, under the same id, 150 ms later at first, 10 s at most;
 * `add_job` retires the entry under way and adds the new one in one statement, so that a crash leaves exactly one.
 */

import type pg from 'pg'
import { z } from 'zod'
import type { Job } from '../ports.ts'
import { encode } from './database.ts'
import { wakeWorkers } from './liveness.ts'
import { ATTEMPTS_MAX, TASK } from './transaction.ts'

const DELAY_MS_MIN = 150
const DELAY_MS_MAX = 10_000

const payloadSchema = z.object({
  id: z.string(),
  stream: z.string(),
  effect: z.unknown(),
  runAt: z.number().optional(),
  /** How often the handler has thrown. */
  failures: z.int().nonnegative().default(0),
})

export function createRetry(pool: pg.Pool): (payload: unknown, handler: (job: Job) => Promise<void>) => Promise<void> {
  return async (payload, handler) => {
    const { failures, runAt, ...rest } = payloadSchema.parse(payload)
    const job: Job = { ...rest, ...(runAt === undefined ? {} : { runAt }) }
    try {
      await handler(job)
    } catch {
      await again(pool, job, failures + 1)
    }
  }
}

/** @throws what the database says; then the entry stays marked as under way, until its runner is found to be gone. */
async function again(pool: pg.Pool, job: Job, failures: number): Promise<void> {
  const delayMs = Math.min(DELAY_MS_MIN * 2 ** (failures - 1), DELAY_MS_MAX)
  await pool.query({ ...ENQUEUE_AGAIN, values: [encode({ ...job, failures }), job.id, delayMs] })
  const timer = setTimeout(() => void wakeWorkers(pool, 1).catch(() => undefined), delayMs + 2)
  timer.unref()
}

const ENQUEUE_AGAIN = {
  name: 'enqueue-again',
  text: `select (graphile_worker.add_job('${TASK}', payload := $1::json, job_key := $2, max_attempts := ${ATTEMPTS_MAX},
    run_at := clock_timestamp() + $3 * interval '1 millisecond')).id`,
}
