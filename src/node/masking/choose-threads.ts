/** Small vectors are masked in the calling thread, where it costs less than threads' memory; large ones beside it. */

import { availableParallelism } from 'node:os'
import type { Blobs } from '../ports.ts'
import { createMaskingThreads, type MaskingThreads } from './threads.ts'

/** Additions of one coordinate: some 10 ms of work. */
const BESIDE_FROM = 10_000_000
/** The calling thread only reads, hashes and writes meanwhile. More would keep the whole machine from its other work. */
const BESIDE_MAX = 2

export function createMasking(blobs: Blobs): MaskingThreads {
  const here = createMaskingThreads({ blobs, threads: 0 })
  const beside = createMaskingThreads({ blobs, threads: Math.min(BESIDE_MAX, availableParallelism()) })
  const place = (length: number, additions: number): MaskingThreads =>
    length * additions < BESIDE_FROM ? here : beside
  return {
    mask: (order, update) => place(order.length, order.masks.length).mask(order, update),
    unmask: (order, alter) => place(order.length, order.vectors.length + order.masks.length).unmask(order, alter),
    async close() {
      await here.close()
      await beside.close()
    },
  }
}
