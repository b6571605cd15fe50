/** One run of graphile-worker's worker pool. It ends by itself when it can no longer say what became of a job. */

import { EventEmitter } from 'node:events'
import { run } from 'graphile-worker'
import type { Database } from './database.ts'
import { graphileLogger } from './graphile-logger.ts'
import { returnJobsOf } from './liveness.ts'
import { patientPool } from './patient-pool.ts'
import { TASK } from './transaction.ts'

export interface Runner {
  /** Resolves when the runner begins to end by itself. */
  readonly failing: Promise<void>
  /** Takes no more jobs, waits for those under way, and frees what it could not report as done. */
  stop(): Promise<void>
}

export interface RunnerOptions {
  readonly concurrency: number
  readonly pollMs: number
  readonly work: (payload: unknown) => Promise<void>
  readonly signal: AbortSignal
}

export async function startRunner({ pool, session, logger }: Database, options: RunnerOptions): Promise<Runner> {
  const failing = Promise.withResolvers<void>()
  const names = new Set<string>()
  const events = new EventEmitter()
  events.on('pool:gracefulShutdown', () => failing.resolve())
  const runner = await run({
    pgPool: patientPool(pool, failing.resolve),
    logger: graphileLogger(logger),
    events,
    noHandleSignals: true,
    taskList: { [TASK]: options.work },
    preset: {
      worker: {
        concurrentJobs: options.concurrency,
        pollInterval: options.pollMs,
        // At -1, the default, a lost connection is an unhandled rejection, which ends the process.
        completeJobBatchDelay: 0,
        failJobBatchDelay: 0,
      },
      plugins: [
        {
          name: 'entente-liveness',
          version: '1.0.0',
          worker: {
            hooks: {
              /** No worker asks for a job before the lock is held that says that its pool lives. */
              async startWorker(_context: unknown, { worker }: { worker: { workerPool: { id: string } } }) {
                names.add(worker.workerPool.id)
                await session.hold(worker.workerPool.id)
              },
            },
          },
        },
      ],
    },
  })
  const ended = runner.promise.catch(() => undefined).then(() => failing.resolve())
  return {
    failing: failing.promise,
    async stop() {
      await runner.stop().catch(() => undefined)
      await ended
      await returnJobsOf(pool, [...names]).catch(() => undefined)
      for (const name of names) await session.release(name)
    },
  }
}
