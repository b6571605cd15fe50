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
 * Reads group after group of ranges, each into one of two halves of buffers: while the caller works on one half, the next
 * group is being read into the other. A group has at most as many ranges as a half has buffers. What was yielded is
 * overwritten after the next step.
 */
export async function* readAhead(
  groups: Iterable<readonly RangeRead[]>,
  halves: readonly [Buffers, Buffers],
): AsyncGenerator<Filled, void, undefined> {
  let [idle, busy] = halves
  let ahead: Promise<Filled> | undefined
  try {
    for (const group of groups) {
      const filled = ahead
      ahead = readGroup(group, idle)
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

type Buffers = readonly Float32Array[]

export interface Filled {
  readonly group: readonly RangeRead[]
  /** The values of each range of the group. */
  readonly values: readonly Float32Array[]
}

/** All ranges of the group at once; settled only when no read is under way any more. */
async function readGroup(group: readonly RangeRead[], buffers: Buffers): Promise<Filled> {
  const reads = group.map(({ reader, start, count }, i) => {
    const buffer = buffers[i] ?? fail('internal', 'a group has more ranges than there are buffers')
    return readValues(reader, start, buffer.subarray(0, count))
  })
  const values: Float32Array[] = []
  for (const outcome of await Promise.allSettled(reads)) {
    if (outcome.status === 'rejected') throw outcome.reason
    values.push(outcome.value)
  }
  return { group, values }
}

/** Consecutive ranges that cover [0, total). */
export function* ranges(
  total: number,
  countMax: number,
): Generator<{ readonly start: number; readonly count: number }> {
  for (let start = 0; start < total; start += countMax) yield { start, count: Math.min(countMax, total - start) }
}
