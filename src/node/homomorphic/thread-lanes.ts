/** Lanes that are threads: ranges of vectors go to them in turn. */

import type { HybridLanes, HybridTask } from '../../privacy/homomorphic/hybrid/engine.ts'
import { createWorkerClient, type WorkerClient } from '../worker-client.ts'

export interface ThreadLanes extends HybridLanes {
  close(): Promise<void>
}

/** @param script of a worker that carries out tasks under these parameters */
export function createThreadLanes(script: URL, parameters: unknown, threads: number): ThreadLanes {
  const workers: WorkerClient[] = Array.from({ length: threads }, () => createWorkerClient(script, parameters))
  let next = 0
  return {
    lanes: threads,
    async run(task) {
      // Ranges are of one size: taking turns keeps all of them busy.
      const worker = workers[next++ % threads] as WorkerClient
      return (await worker.call(ownBuffers(task))) as Uint8Array
    },
    close: async () => void (await Promise.all(workers.map((worker) => worker.close()))),
  }
}

/** A view is posted with all of the buffer behind it: each range gets one of its own. */
function ownBuffers(task: HybridTask): HybridTask {
  switch (task.type) {
    case 'encrypt':
    case 'cover':
      return { ...task, values: task.values.slice() }
    case 'uncover':
      return { ...task, cipher: task.cipher.slice() }
    case 'add':
      return { ...task, vectors: task.vectors.map((vector) => vector.slice()) }
    case 'open':
      return { ...task, partials: task.partials.map((partial) => partial.slice()) }
    default:
      return { ...task, vector: task.vector.slice() }
  }
}
