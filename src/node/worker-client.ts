/**
 * Calls into a worker thread, one after the other. A worker that dies fails the calls under way with a retryable error;
 * the next call starts another. Nothing waits for an answer that cannot come.
 */

import { Worker } from 'node:worker_threads'
import { EntenteError, type ErrorDetails, fail, isErrorCode } from '../base/errors.ts'

export interface WorkerClient {
  /** @throws the worker's EntenteError; unavailable when the worker died or was closed meanwhile */
  call(request: unknown, onProgress?: (progress: unknown) => void): Promise<unknown>
  /** Ends the thread. Calls under way fail with `unavailable`, and so do later ones. */
  close(): Promise<void>
}

/** What the worker posts; see worker-server.ts. */
export type WorkerReply =
  | { readonly id: number; readonly type: 'progress'; readonly progress: unknown }
  | { readonly id: number; readonly type: 'done'; readonly result: unknown }
  | {
      readonly id: number
      readonly type: 'failed'
      readonly code: string
      readonly message: string
      readonly details: ErrorDetails
    }

interface Call {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: unknown) => void
  readonly onProgress: (progress: unknown) => void
}

export function createWorkerClient(script: URL, workerData: unknown): WorkerClient {
  const calls = new Map<number, Call>()
  let worker: Worker | undefined
  let closed = false
  let nextId = 0

  function start(): Worker {
    const started = new Worker(script, { workerData })
    started.on('message', (reply: WorkerReply) => settle(started, reply))
    started.on('error', (cause) => abandon(started, cause))
    started.on('exit', () => abandon(started, undefined))
    return started
  }

  function settle(from: Worker, reply: WorkerReply): void {
    const call = calls.get(reply.id)
    if (call === undefined) return
    if (reply.type === 'progress') return call.onProgress(reply.progress)
    calls.delete(reply.id)
    // An idle worker must not keep the process alive.
    if (calls.size === 0) from.unref()
    if (reply.type === 'done') call.resolve(reply.result)
    else call.reject(errorOf(reply))
  }

  function abandon(dead: Worker, cause: unknown): void {
    if (worker !== dead) return
    worker = undefined
    const error = new EntenteError('unavailable', 'the worker thread ended before it answered', { cause })
    for (const call of calls.values()) call.reject(error)
    calls.clear()
  }

  function call(request: unknown, onProgress: (progress: unknown) => void = () => {}): Promise<unknown> {
    if (closed) fail('unavailable', 'the worker thread was closed')
    worker ??= start()
    worker.ref()
    const id = nextId++
    return new Promise((resolve, reject) => {
      calls.set(id, { resolve, reject, onProgress })
      worker?.postMessage({ id, request }, [])
    })
  }

  async function close(): Promise<void> {
    closed = true
    const running = worker
    if (running === undefined) return
    await running.terminate()
    abandon(running, undefined)
  }

  return { call: async (request, onProgress) => call(request, onProgress), close }
}

function errorOf({ code, message, details }: Extract<WorkerReply, { type: 'failed' }>): EntenteError {
  return new EntenteError(isErrorCode(code) ? code : 'internal', message, { details })
}
