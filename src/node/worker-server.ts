/** The side of a worker thread: answers calls in the order in which they came. */

import { parentPort, type Transferable } from 'node:worker_threads'
import { EntenteError } from '../base/errors.ts'
import type { WorkerReply } from './worker-client.ts'

export interface Answer {
  readonly result: unknown
  /** Buffers of the result that are moved, not copied. */
  readonly transfer?: readonly Transferable[]
}

export type Handler = (request: never, onProgress: (progress: unknown) => void) => Promise<Answer>

/** Serves the thread that started this one, until it ends. */
export function serveCalls(handler: Handler): void {
  let last: Promise<void> = Promise.resolve()
  parentPort?.on('message', ({ id, request }: { id: number; request: unknown }) => {
    last = last.then(() => answer(handler, id, request))
  })
}

async function answer(handler: Handler, id: number, request: unknown): Promise<void> {
  const post = (reply: WorkerReply, transfer: readonly Transferable[] = []): void =>
    parentPort?.postMessage(reply, [...transfer])
  try {
    const { result, transfer } = await handler(request as never, (progress) => post({ id, type: 'progress', progress }))
    post({ id, type: 'done', result }, transfer)
  } catch (error) {
    const { code, details } = error instanceof EntenteError ? error : { code: 'internal', details: {} }
    post({ id, type: 'failed', code, message: error instanceof Error ? error.message : String(error), details })
  }
}
