/** Jobs on virtual time: at least once, in random order, again after a crash, with back-off after a failure. */

import { fail } from '../../src/base/errors.ts'
import type { Job, Jobs } from '../../src/node/ports.ts'
import type { Database } from './database.ts'
import type { Process } from './process.ts'

export interface JobFaults {
  /** Probability that a job is carried out twice at a time, as when a worker that was thought dead lives on. */
  readonly duplicate: number
  /** How long a ready job waits at most, in virtual milliseconds. */
  readonly delayMsMax: number
}

const BACK_OFF_MS = 100
const BACK_OFF_MS_MAX = 20_000

/** `nowMs` is the node's own clock: `runAt` is in its time. */
export function createJobs(
  process: Process,
  database: Database,
  nowMs: () => number,
  faults: JobFaults = { duplicate: 0, delayMsMax: 20 },
): Jobs {
  const { random, trace } = process.scheduler
  const underWay = new Set<Promise<void>>()
  let handle: ((job: Job) => Promise<void>) | undefined
  let stopped = false

  function schedule(job: Job, attempt = 0): void {
    const backOff = attempt === 0 ? 0 : Math.min(BACK_OFF_MS_MAX, BACK_OFF_MS * 2 ** attempt)
    const wait = Math.max(backOff, (job.runAt ?? 0) - nowMs())
    const copies = random.uniform() < faults.duplicate ? 2 : 1
    for (let i = 0; i < copies; i++)
      process.after(wait + random.uniform() * faults.delayMsMax, () => take(job, attempt))
  }

  function take(job: Job, attempt: number): void {
    if (stopped || handle === undefined || !database.tables.jobs.has(job.id)) return
    // Rounding of the clock may hand out a timer a moment before its time.
    if ((job.runAt ?? 0) > nowMs()) return schedule(job, attempt)
    const run = carryOut(job, attempt, handle)
    underWay.add(run)
    void run.finally(() => underWay.delete(run))
  }

  async function carryOut(job: Job, attempt: number, handler: (job: Job) => Promise<void>): Promise<void> {
    const type = String((job.effect as { type?: unknown } | null)?.type)
    await process.point(`before effect ${job.id} ${type}`)
    try {
      await handler(job)
    } catch (error) {
      trace(process.name, `effect ${job.id} failed: ${String(error)}`)
      return schedule(job, attempt + 1)
    }
    await process.point(`after effect ${job.id} ${type}`)
    if (database.tables.jobs.has(job.id)) await database.commit([{ type: 'job-done', id: job.id }], `done ${job.id}`)
  }

  async function start(handler: (job: Job) => Promise<void>): Promise<void> {
    if (handle !== undefined) fail('internal', 'the workers were started twice')
    handle = handler
    for (const job of database.tables.jobs.values()) schedule(job)
    database.onCommit((changes) => {
      for (const change of changes) if (change.type === 'job') schedule(change.job)
    })
  }

  async function stop(): Promise<void> {
    stopped = true
    await Promise.all(underWay)
  }

  return { start, stop }
}
