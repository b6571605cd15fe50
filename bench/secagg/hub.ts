/** What the hub does when all reveals are in, in memory on one thread and on several, and the floor under it. */

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { MaskArithmetic } from '../../src/privacy/masking/arithmetic.ts'
import { splitRange } from '../../src/privacy/masking/mask.ts'
import { recoverMasks } from '../../src/privacy/masking/recover.ts'
import { maskText, type UnmaskOrder, unmaskSum, vectorBytes } from '../../src/privacy/masking/vector.ts'
import { floor } from './floor.ts'
import { type PreparedRound, vectorDigest } from './round.ts'
import { inTurn, type Measured } from './timing.ts'
import type { Task } from './worker.ts'

export interface HubPhases {
  readonly order: UnmaskOrder
  readonly works: Readonly<Record<'recover' | 'unmask' | 'floor', () => unknown>>
}

/** @throws when the sum is not the plain sum of the quantised updates */
export function hubPhases(round: PreparedRound, arithmetic: MaskArithmetic): HubPhases {
  const { roster, survivors, shares, reveals, vectors, setting } = round
  const recover = () => recoverMasks({ roster, shares, survivors, reveals })
  const recovery = recover()
  if (!recovery.ok) throw new Error(recovery.reason)
  const order: UnmaskOrder = {
    length: setting.parameters,
    scale: roster.scale,
    totalWeight: 100 * survivors.length,
    vectors: survivors.map((organisation, i) => ({ organisation, vector: vectorDigest(i) })),
    masks: recovery.masks.map(maskText),
  }
  const unmask = () => unmaskSum(order, vectors, arithmetic)
  if (Buffer.compare(unmask(), round.expected) !== 0)
    throw new Error('the sum is not the plain sum of the quantised updates')
  return { order, works: { recover, unmask, floor: () => floor(order.masks.length, vectors, arithmetic) } }
}

/** Wall times are what counts here. @throws when another sum comes out */
export async function onThreads(
  threads: number,
  order: UnmaskOrder,
  { vectors, expected }: PreparedRound,
  runs: number,
): Promise<Record<'unmask' | 'floor', Measured>> {
  const length = vectorBytes(order)
  const result = new SharedArrayBuffer(length)
  const task: Task = { order, buffer: vectors[0]?.buffer as unknown as SharedArrayBuffer, vectorBytes: length, result }
  const script = new URL('worker.ts', import.meta.url)
  const workers = Array.from({ length: threads }, () => new Worker(script, { workerData: task }))
  await Promise.all(workers.map((worker) => once(worker, 'message')))
  const ranges = splitRange(order.length, order.scale.width, threads)
  const run = (work: 'unmask' | 'floor') => async (): Promise<void> => {
    const replies = workers.map((worker) => once(worker, 'message'))
    workers.forEach((worker, i) => worker.postMessage({ range: ranges[i], work }, []))
    await Promise.all(replies)
  }
  const timings = await inTurn(runs, { floor: run('floor'), unmask: run('unmask') })
  await Promise.all(workers.map((worker) => worker.terminate()))
  if (Buffer.compare(new Uint8Array(result), expected) !== 0) throw new Error(`${threads} threads give another sum`)
  return timings
}
