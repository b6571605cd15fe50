/** One thread of {@link startKernelThreads}: waits for calls on the board and does pieces of them until it is ended. */

import { workerData } from 'node:worker_threads'
import { instantiateShared } from '../models/kernels/shared.ts'
import { type ThreadData, workAt } from './kernel-board.ts'

const { module, memory, board, thread, scratch } = workerData as ThreadData
workAt(board, { raw: instantiateShared(module, memory), thread, scratch })
