/** A thread that works on ranges of Paillier vectors under one set of parameters. */

import { workerData } from 'node:worker_threads'
import { type PaillierEngine, paillierEngine, type PaillierTask } from '../../privacy/homomorphic/paillier/engine.ts'
import { readParameters } from '../../privacy/homomorphic/paillier/parameters.ts'
import { serveCalls } from '../worker-server.ts'
import { opensslPower } from './power.ts'

let run: PaillierEngine | undefined

serveCalls(async (task: PaillierTask) => {
  run ??= paillierEngine(readParameters(workerData), opensslPower)
  const result = run(task)
  return { result, transfer: [result.buffer as ArrayBuffer] }
})
