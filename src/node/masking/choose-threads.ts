/** Small vectors are masked in the calling thread, where it costs less than a thread's memory; large ones beside it. */

import type { Blobs } from '../ports.ts'
import { createMaskingThreads, type MaskingThreads } from './threads.ts'

/** Additions of one coordinate: some 10 ms of work. */
const BESIDE_FROM = 10_000_000

export function createMasking(blobs: Blobs): MaskingThreads {
  const here = createMaskingThreads({ blobs, threads: 0 })
  const beside = createMaskingThreads({ blobs })
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
