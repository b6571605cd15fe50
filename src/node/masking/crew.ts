/** The threads that ranges are given to in turn. */

import { fail } from '../../base/errors.ts'
import { createWorkerClient } from '../worker-client.ts'
import { createRangeWorker, type RangeResult, type RangeTask } from './range-work.ts'

export interface Crew {
  /** Ranges that can be worked on at a time. */
  readonly size: number
  /** Gives range number `turn` to a thread. @throws what the work throws; unavailable when the thread died */
  run(turn: number, task: RangeTask): Promise<RangeResult>
  close(): Promise<void>
}

const THREADS_MAX = 64
const WORKER = new URL('worker.ts', import.meta.url)

export function createCrew(threads: number): Crew {
  if (!Number.isInteger(threads) || threads < 0 || threads > THREADS_MAX)
    fail('invalid-request', `masking takes from 0 to ${THREADS_MAX} threads`)
  if (threads === 0) return callingThread()
  const clients = Array.from({ length: threads }, () => createWorkerClient(WORKER, null))
  return {
    size: threads,
    run: async (turn, task) => (await clients[turn % threads]?.call(task)) as RangeResult,
    async close() {
      await Promise.all(clients.map((client) => client.close()))
    },
  }
}

function callingThread(): Crew {
  let work: ReturnType<typeof createRangeWorker> | undefined
  let closed = false
  return {
    size: 1,
    async run(_, task) {
      if (closed) fail('unavailable', 'masking was closed')
      work ??= createRangeWorker()
      return work(task)
    },
    async close() {
      closed = true
    },
  }
}
