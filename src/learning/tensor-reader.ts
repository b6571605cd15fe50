/** Reading safetensors files by ranges of coordinates, so that no file is ever in memory as a whole. */

import { fail } from '../base/errors.ts'
import { headerLength, parseHeader, type SafetensorsHeader } from '../models/formats/safetensors.ts'

/** Bytes of a blob. */
export interface ByteReader {
  readonly size: number
  /** Fills `into` from `offset`; @throws blob-truncated if there are fewer bytes. */
  read(offset: number, into: Uint8Array): Promise<void>
}

export interface TensorReader extends ByteReader {
  readonly header: SafetensorsHeader
}

/** The first 8 bytes and the JSON header of a safetensors file. @throws blob-truncated, model-invalid */
export async function readHeaderBytes(file: ByteReader): Promise<Uint8Array> {
  const first8 = new Uint8Array(8)
  if (file.size < 8) fail('blob-truncated', 'the file ends within its first 8 bytes')
  await file.read(0, first8)
  const bytes = new Uint8Array(8 + headerLength(first8))
  if (file.size < bytes.length) fail('blob-truncated', 'the file ends within its header')
  await file.read(0, bytes)
  return bytes
}

/** @throws blob-truncated, model-invalid */
export async function openTensors(file: ByteReader): Promise<TensorReader> {
  const header = parseHeader(await readHeaderBytes(file), file.size)
  return { size: file.size, header, read: (offset, into) => file.read(offset, into) }
}

/** Number of float32 values of a file. */
export function parameterCount({ dataLength }: SafetensorsHeader): number {
  return dataLength / 4
}

/** Values [start, start + into.length) of the file's data section, in layout order. */
export async function readValues(reader: TensorReader, start: number, into: Float32Array): Promise<Float32Array> {
  // All machines that this program runs on are little-endian, as the format is.
  await reader.read(reader.header.dataOffset + 4 * start, new Uint8Array(into.buffer, into.byteOffset, into.byteLength))
  return into
}

export interface RangeRead {
  readonly reader: TensorReader
  readonly start: number
  readonly count: number
}

/**
 * The values of each range in turn, in one of two buffers of `countMax` values: while the caller works on one, the next
 * range is being read into the other. What was yielded is overwritten after the next step.
 */
export async function* readAhead(
  reads: Iterable<RangeRead>,
  countMax: number,
): AsyncGenerator<Float32Array, void, undefined> {
  let [idle, busy] = [new Float32Array(countMax), new Float32Array(countMax)]
  let ahead: Promise<Float32Array> | undefined
  try {
    for (const { reader, start, count } of reads) {
      const filled = ahead
      ahead = readValues(reader, start, idle.subarray(0, count))
      // Its failure is met when its turn comes; until then it must not count as unhandled.
      ahead.catch(() => undefined)
      ;[idle, busy] = [busy, idle]
      if (filled !== undefined) yield await filled
    }
    if (ahead !== undefined) yield await ahead
  } finally {
    // Whoever stops early may close the file next, so nothing may still be reading from it.
    await ahead?.catch(() => undefined)
  }
}

/** Consecutive ranges that cover [0, total). */
export function* ranges(
  total: number,
  countMax: number,
): Generator<{ readonly start: number; readonly count: number }> {
  for (let start = 0; start < total; start += countMax) yield { start, count: Math.min(countMax, total - start) }
}
