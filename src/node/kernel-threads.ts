/**
 * Kernels that several threads work on, over one memory. What they compute is what one thread computes, bit for bit; a
 * call is synchronous as ever. Off unless somebody asks for it: the machine of an organisation has other work, too.
 */

import { readFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { EntenteError, fail } from '../base/errors.ts'
import { Arena, type LinearMemory } from '../models/kernels/arena.ts'
import type { Kernels } from '../models/kernels/kernels.ts'
import { rowsIn } from '../models/kernels/rows.ts'
import { dividedAmong, type RunKernel, runBeside } from '../models/kernels/run-kernel.ts'
import { instantiateShared } from '../models/kernels/shared.ts'
import { createBoard, type ThreadData } from './kernel-board.ts'
import { loadKernels } from './kernels.ts'

const KERNELS = new URL('../models/kernels/kernels-shared.wasm', import.meta.url)
const WORKER = new URL('kernel-thread.ts', import.meta.url)
const PAGES = 64
const PAGES_MAX = 65536
const THREADS_MAX = 64

export interface KernelThreads {
  readonly kernels: Kernels
  /** Ends the threads; what is under way fails with `unavailable`, and so does what comes later. */
  close(): Promise<void>
}

/** The part of WebAssembly that is used here: Node's types lack it without the DOM's. */
interface SharedApi {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Memory: new (descriptor: { initial: number; maximum: number; shared: true }) => LinearMemory
}

/**
 * @param script - what a thread runs
 * @throws model-invalid when the kernels are not built, invalid-request for a number of threads that is none
 */
export function startKernelThreads(threads: number, script: URL = WORKER): KernelThreads {
  if (!Number.isInteger(threads) || threads < 1 || threads > THREADS_MAX)
    fail('invalid-request', `kernels take from 1 to ${THREADS_MAX} threads`)
  const { Module, Memory } = (globalThis as unknown as { WebAssembly: SharedApi }).WebAssembly
  const module = new Module(readModule())
  const memory = new Memory({ initial: PAGES, maximum: PAGES_MAX, shared: true })
  const raw = instantiateShared(module, memory)
  const arena = new Arena(memory, raw.MEMORY_BASE.value)
  const scratch = arena.allocate(raw.SCRATCH_BYTES.value)
  const board = createBoard()
  const workers = Array.from({ length: threads - 1 }, (_, i) => {
    const own = { thread: i + 1, scratch: arena.allocate(raw.SCRATCH_BYTES.value) }
    const data: ThreadData = { module, memory, board: board.shared, ...own }
    const worker = new Worker(script, { workerData: data })
    worker.unref()
    worker.on('error', board.bury).on('exit', board.bury)
    return worker
  })
  const hand = { raw, thread: 0, scratch }
  const divided = dividedAmong(raw, arena, board.crewOf(hand, threads))
  const run = keptAlive(workers, runBeside(raw, arena, board.besideOf(hand, threads)))
  return {
    // Sums of a mean keep to a memory of their own.
    kernels: { ...loadKernels(), rows: rowsIn({ raw, arena, run }), raw: divided, arena, scratch },
    async close() {
      board.bury()
      await Promise.all(workers.map((worker) => worker.terminate()))
    },
  }
}

/** Idle threads do not keep the process from ending; a call that waits for them does. */
function keptAlive(workers: readonly Worker[], run: RunKernel): RunKernel {
  return async (name, of) => {
    for (const worker of workers) worker.ref()
    try {
      await run(name, of)
    } finally {
      for (const worker of workers) worker.unref()
    }
  }
}

function readModule(): Uint8Array {
  try {
    return readFileSync(KERNELS)
  } catch (cause) {
    throw new EntenteError('model-invalid', 'the kernels are not built; run `npm run setup`', { cause })
  }
}
