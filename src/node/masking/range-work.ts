/** One range of coordinates: what a thread of the crew does, and the calling thread where there is none. */

import { chunkSum, type ChunkSum } from '../../models/kernels/masking.ts'
import { maskRange, type MaskOrder, type UnmaskOrder, unmaskSum } from '../../privacy/masking/vector.ts'
import { loadKernels } from '../kernels.ts'

/** Memory that the threads share: what was read, and what is to be written; one and the same where each takes the other's place. */
export interface Slot {
  readonly input: SharedArrayBuffer
  readonly output: SharedArrayBuffer
}

/** Coordinates from `start` on; `slot.input` holds them of each vector, one after the other, or as float32. */
export type RangeTask =
  | {
      readonly work: 'mask'
      readonly order: MaskOrder
      readonly start: number
      readonly count: number
      readonly slot: Slot
    }
  | {
      readonly work: 'unmask'
      readonly order: UnmaskOrder
      readonly start: number
      readonly count: number
      readonly slot: Slot
    }

/** Coordinates beyond the clip bound. */
export type RangeResult = number

export function createRangeWorker(): (task: RangeTask) => RangeResult {
  const sums = new Map<number, ChunkSum>()
  const kernels = loadKernels()
  const sumOf = (width: 32 | 64): ChunkSum => {
    const sum = sums.get(width) ?? chunkSum(kernels, width)
    sums.set(width, sum)
    return sum
  }
  return (task) => {
    const { start, count, slot } = task
    const { width } = task.order.scale
    const bytes = (count * width) / 8
    const output = new Uint8Array(slot.output, 0, bytes)
    if (task.work === 'mask') {
      const values = new Float32Array(slot.input, 0, count)
      return maskRange(task.order, values, sumOf(width), start, output).clipped
    }
    const vectors = task.order.vectors.map((_, i) => new Uint8Array(slot.input, i * bytes, bytes))
    unmaskSum(task.order, vectors, sumOf(width), (start * width) / 8, output)
    return 0
  }
}
