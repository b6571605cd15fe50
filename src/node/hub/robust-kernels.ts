/**
 * Threads for a robust rule over much: they live as long as one aggregation, so that a hub at rest has none, and two
 * aggregations at once share nothing. What they compute is what one thread computes, bit for bit.
 */

import type { RobustConfig } from '../../learning/robust/config.ts'
import { parameterCount, type TensorReader } from '../../learning/tensor-reader.ts'
import type { Kernels } from '../../models/kernels/kernels.ts'
import { startKernelThreads } from '../kernel-threads.ts'
import type { HubOptions } from './identity.ts'

/** Values of all updates, 16 MB: below, the rule is done before another thread has started. */
export const THREADS_FROM = 1 << 22

interface Load {
  readonly robust: RobustConfig
  readonly base: TensorReader
  /** Number of updates, or of sums that stand for them. */
  readonly updates: number
}

/** @throws what `work` throws; unavailable (retryable) if a thread died meanwhile */
export async function withRobustKernels<T>(
  { kernels, aggregationThreads = 1 }: Pick<HubOptions, 'kernels' | 'aggregationThreads'>,
  { robust, base, updates }: Load,
  work: (kernels: Kernels) => Promise<T>,
): Promise<T> {
  const few = updates * parameterCount(base.header) < THREADS_FROM
  if (robust.rule === 'none' || aggregationThreads === 1 || few) return work(kernels)
  const threads = startKernelThreads(aggregationThreads)
  try {
    return await work(threads.kernels)
  } finally {
    await threads.close()
  }
}
