/** Local training in a thread of its own, so that the node answers its hub while it trains. */

import type { ResponseConfig } from './policy/response-config.ts'
import type { Trainer } from './ports.ts'
import type { Trial } from '../learning/verdict.ts'
import type { LabelledSummary } from './training.ts'
import type { LabelledData } from './training-matrix.ts'
import { createWorkerClient } from './worker-client.ts'

export interface ClosableTrainer extends Trainer {
  /** Ends the thread; a training under way fails with `unavailable`. */
  close(): Promise<void>
}

interface Trained {
  readonly parameters: Float32Array
  readonly summary: LabelledSummary
}

/** What is trained on: own logs for a threat model, the own environment for a response policy. */
export interface TrainingGround extends LabelledData {
  readonly response?: ResponseConfig | undefined
  /** Threads that the kernels divide their work among; default 1. */
  readonly threads?: number
}

/**
 * A trainer over one data set directory. The thread starts at the first request; requests are served one at a time. The
 * same request over the same data set gives the same bytes.
 * `train` @throws no-data, not-found, wrong-shape, not-finite; unavailable (retryable) if the thread died.
 * `validate` @throws the same; it waits for a training under way, and reads at most 2,000 rows.
 */
export function createTrainer(data: TrainingGround): ClosableTrainer {
  const { directory, trainUntil, families, response, threads = 1 } = data
  const client = createWorkerClient(new URL('./trainer-worker.ts', import.meta.url), {
    directory,
    trainUntil,
    families,
    response,
    threads,
  })
  return {
    train: async (request) => (await client.call(request)) as Trained,
    validate: async (request) => (await client.call(request)) as Trial,
    close: () => client.close(),
  }
}
