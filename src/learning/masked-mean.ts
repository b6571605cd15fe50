/** The means that secure aggregation leaves to compute: from exact sums of quantised updates, chunk by chunk. */

import { fail } from '../base/errors.ts'
import type { SafetensorsHeader } from '../models/formats/safetensors.ts'
import { dequantiseMean, type Scale } from '../privacy/masking/quantise.ts'
import type { TensorReader } from './tensor-reader.ts'
import { CHUNK_ELEMENTS, type Combiner } from './weighted-sum.ts'

export interface MaskedSumSource {
  readonly scale: Scale
  /** Of all survivors. */
  readonly totalWeight: number
  /** Coordinates of the sum, ascending, where they are not all: the others changed nowhere. */
  readonly support?: Uint32Array
  /** Fills `into` from byte `offset` of the sum: little-endian integers of `scale.width` bits. */
  read(offset: number, into: Uint8Array): Promise<void>
}

const FLOAT_BYTES = 4

/** The mean at coordinates from `start` on, as many as `words` has room for. */
async function readMean(source: MaskedSumSource, start: number, words: Uint8Array): Promise<Float32Array> {
  const { scale, totalWeight, support, read } = source
  const wordBytes = scale.width / 8
  if (support === undefined) {
    await read(start * wordBytes, words)
    return dequantiseMean(words, totalWeight, scale)
  }
  const mean = new Float32Array(words.length / wordBytes)
  const [from, to] = [start, start + mean.length].map((coordinate) => firstFrom(support, coordinate)) as [
    number,
    number,
  ]
  if (from === to) return mean
  const part = words.subarray(0, (to - from) * wordBytes)
  await read(from * wordBytes, part)
  for (const [i, value] of dequantiseMean(part, totalWeight, scale).entries())
    mean[(support[from + i] ?? 0) - start] = value
  return mean
}

/** Position of the first coordinate of at least this number. */
function firstFrom(support: Uint32Array, coordinate: number): number {
  let [low, high] = [0, support.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((support[middle] ?? 0) < coordinate) low = middle + 1
    else high = middle
  }
  return low
}

/** @param size parameters of the model */
export function maskedMean(source: MaskedSumSource, size: number, chunkElements: number | undefined): Combiner {
  const countMax = Math.max(1, Math.min(size, chunkElements ?? CHUNK_ELEMENTS))
  const bytes = source.scale.width / 8
  const words = new Uint8Array(countMax * bytes)
  return {
    countMax,
    combine: async (start, delta) => delta.set(await readMean(source, start, words.subarray(0, delta.length * bytes))),
    report: () => undefined,
    close: async () => undefined,
  }
}

/** The mean of a bucket as if it were the file of an update: what a robust rule looks at. `header` is the model's. */
export function meanReader(source: MaskedSumSource, header: SafetensorsHeader): TensorReader {
  return {
    header,
    size: header.dataOffset + header.dataLength,
    async read(offset, into) {
      const [start, count] = [(offset - header.dataOffset) / FLOAT_BYTES, into.length / FLOAT_BYTES]
      if (!Number.isInteger(start) || !Number.isInteger(count) || start < 0)
        fail('internal', 'a mean is read value by value')
      const words = new Uint8Array((count * source.scale.width) / 8)
      const values = await readMean(source, start, words)
      into.set(new Uint8Array(values.buffer, values.byteOffset, into.length))
    },
  }
}
