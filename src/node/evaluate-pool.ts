/** Two worker threads at most, each with one task at a time. */

import type { ScoredSlice, ScoreTask, TrainedModel, TrainTask } from './evaluate-tasks.ts'
import { createWorkerClient, type WorkerClient } from './worker-client.ts'

const THREADS_MAX = 2

export interface EvaluationPool {
  train(task: TrainTask, onProgress: (share: number) => void): Promise<TrainedModel>
  score(task: ScoreTask, onProgress: (share: number) => void): Promise<ScoredSlice>
  close(): Promise<void>
}

export function createEvaluationPool(): EvaluationPool {
  const script = new URL('./evaluate-worker.ts', import.meta.url)
  const threads = Array.from({ length: THREADS_MAX }, () => createWorkerClient(script, undefined))
  const idle: WorkerClient[] = [...threads]
  const waiting: ((thread: WorkerClient) => void)[] = []

  const take = (): WorkerClient | Promise<WorkerClient> =>
    idle.shift() ?? new Promise<WorkerClient>((resolve) => waiting.push(resolve))

  function giveBack(thread: WorkerClient): void {
    const next = waiting.shift()
    if (next === undefined) idle.push(thread)
    else next(thread)
  }

  async function run(task: TrainTask | ScoreTask, onProgress: (share: number) => void): Promise<unknown> {
    const thread = await take()
    try {
      return await thread.call(task, (progress) => onProgress(Number(progress)))
    } finally {
      giveBack(thread)
    }
  }

  return {
    train: async (task, onProgress) => (await run(task, onProgress)) as TrainedModel,
    score: async (task, onProgress) => (await run(task, onProgress)) as ScoredSlice,
    close: async () => void (await Promise.all(threads.map((thread) => thread.close()))),
  }
}
