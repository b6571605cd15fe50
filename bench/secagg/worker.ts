/** A thread that takes a range of the coordinates: what the hub does with masked vectors, and the floor under it. */

import { parentPort, workerData } from 'node:worker_threads'
import { chunkSum } from '../../src/models/kernels/masking.ts'
import { loadKernels } from '../../src/node/kernels.ts'
import type { ByteRange } from '../../src/privacy/masking/mask.ts'
import { type UnmaskOrder, unmaskSum } from '../../src/privacy/masking/vector.ts'
import { floor } from './floor.ts'

export interface Task {
  readonly order: UnmaskOrder
  readonly buffer: SharedArrayBuffer
  readonly vectorBytes: number
  readonly result: SharedArrayBuffer
}

const { order, buffer, vectorBytes, result } = workerData as Task
const arithmetic = chunkSum(loadKernels(), order.scale.width)

parentPort?.on('message', ({ range, work }: { readonly range: ByteRange; readonly work: 'unmask' | 'floor' }) => {
  const vectors = order.vectors.map((_, i) => new Uint8Array(buffer, i * vectorBytes + range.from, range.length))
  if (work === 'floor') floor(order.masks.length, vectors, arithmetic)
  else new Uint8Array(result, range.from, range.length).set(unmaskSum(order, vectors, arithmetic, range.from))
  parentPort?.postMessage('done', [])
})
parentPort?.postMessage('ready', [])
