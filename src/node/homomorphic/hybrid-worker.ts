/** A thread that works on ranges of vectors of version 2 under one set of parameters. */

import { workerData } from 'node:worker_threads'
import { hybridEngine, type HybridTask } from '../../privacy/homomorphic/hybrid/engine.ts'
import { readHybridParameters } from '../../privacy/homomorphic/hybrid/parameters.ts'
import { serveCalls } from '../worker-server.ts'
import { opensslPower } from './power.ts'

let run: ((task: HybridTask) => Uint8Array) | undefined

serveCalls(async (task: HybridTask) => {
  run ??= hybridEngine(readHybridParameters(workerData), opensslPower)
  const result = run(task)
  return { result, transfer: [result.buffer as ArrayBuffer] }
})
