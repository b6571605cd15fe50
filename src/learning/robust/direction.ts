/** The step before as one more vector among the updates: its distances to them say who points against it. */

import type { TensorReader } from '../tensor-reader.ts'
import { indices } from './rule.ts'
import { againstOf } from './signs.ts'

/** base - previous, read as if it were an update's file of the layout of `base`. */
export function stepReader(base: TensorReader, previous: TensorReader): TensorReader {
  const shift = previous.header.dataOffset - base.header.dataOffset
  return {
    header: base.header,
    size: base.size,
    async read(offset, into) {
      const before = new Float32Array(into.byteLength / 4)
      const both = [base.read(offset, into), previous.read(offset + shift, new Uint8Array(before.buffer))]
      for (const outcome of await Promise.allSettled(both)) if (outcome.status === 'rejected') throw outcome.reason
      const values = new Float32Array(into.buffer, into.byteOffset, before.length)
      for (let i = 0; i < values.length; i++) values[i] = (values[i] ?? 0) - (before[i] ?? 0)
    },
  }
}

/**
 * Takes the step, which comes after `count` updates, out of a table of squared distances whose last point is the origin.
 * `against`: positions of the updates that point against it.
 */
export function withoutStep(
  squared: Float64Array,
  count: number,
): { readonly squared: Float64Array; readonly against: readonly number[] } {
  const size = count + 2
  const at = (i: number, j: number): number => squared[i * size + j] ?? Number.NaN
  const kept = [...indices(count), count + 1]
  const measured = indices(count).map((i) => ({ squaredNorm: at(i, count + 1), squaredToPrevious: at(i, count) }))
  return {
    squared: Float64Array.from(kept.flatMap((i) => kept.map((j) => at(i, j)))),
    against: againstOf(measured, at(count, count + 1)),
  }
}
