/** The mean that secure aggregation leaves to compute: from the exact sum of all quantised updates, chunk by chunk. */

import { dequantiseMean, type Scale } from '../privacy/masking/quantise.ts'
import { CHUNK_ELEMENTS, type Combiner } from './weighted-sum.ts'

export interface MaskedSumSource {
  readonly scale: Scale
  /** Of all survivors. */
  readonly totalWeight: number
  /** Fills `into` from byte `offset` of the sum: little-endian integers of `scale.width` bits. */
  read(offset: number, into: Uint8Array): Promise<void>
}

/** @param size parameters of the model */
export function maskedMean(
  { scale, totalWeight, read }: MaskedSumSource,
  size: number,
  chunkElements: number | undefined,
): Combiner {
  const countMax = Math.max(1, Math.min(size, chunkElements ?? CHUNK_ELEMENTS))
  const bytes = scale.width / 8
  const words = new Uint8Array(countMax * bytes)
  return {
    countMax,
    async combine(start, delta) {
      const part = words.subarray(0, delta.length * bytes)
      await read(start * bytes, part)
      delta.set(dequantiseMean(part, totalWeight, scale))
    },
    report: () => undefined,
    close: async () => undefined,
  }
}
