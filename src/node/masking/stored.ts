/** From stored vectors to stored vectors: which ranges there are, and what is read, worked on and written for each. */

import { fail } from '../../base/errors.ts'
import { type MaskOrder, type UnmaskOrder, vectorBytes } from '../../privacy/masking/vector.ts'
import type { BlobReader, Blobs, BlobWriter } from '../ports.ts'
import type { Crew } from './crew.ts'
import { inTurns, type Range, rangesOf } from './ranges.ts'
import type { RangeTask, Slot } from './range-work.ts'
import { SLOT_BYTES, type Slots } from './slots.ts'
import type { Alter, StoredValues, StoredVector } from './threads.ts'

interface Job {
  readonly blobs: Blobs
  readonly crew: Crew
  readonly slotBytes: number
  readonly slots: Slots
}

export async function maskStored(
  { blobs, crew, slotBytes, slots }: Job,
  order: MaskOrder,
  update: StoredValues | Float32Array,
): Promise<StoredVector & { clipped: number }> {
  const values = update instanceof Float32Array ? inMemory(update, order.length) : update
  let clipped = 0
  const stored = await writing(blobs, (writer) =>
    pass(crew, Math.min(slotBytes, SLOT_BYTES), 4, order, {
      ...(order.scale.width === 32 ? { inPlace: slots } : {}),
      read: ({ start, count }, slot) =>
        values.file.read(values.dataOffset + 4 * start, new Uint8Array(slot.input, 0, 4 * count)),
      task: (range, slot) => ({ work: 'mask', order, ...range, slot }),
      async write(bytes, counted) {
        clipped += counted
        await writer.write(bytes)
      },
    }),
  )
  return { ...stored, clipped }
}

function inMemory(update: Float32Array, length: number): StoredValues {
  if (update.length !== length) fail('wrong-shape', `the update has ${update.length} values, the round takes ${length}`)
  const bytes = new Uint8Array(update.buffer, update.byteOffset, update.byteLength)
  return {
    dataOffset: 0,
    file: { read: async (offset, into) => into.set(bytes.subarray(offset, offset + into.length)) },
  }
}

export async function unmaskStored(
  { blobs, crew, slotBytes }: Job,
  order: UnmaskOrder,
  alter?: Alter,
): Promise<StoredVector> {
  const vectors = await openAll(blobs, order)
  const width = order.scale.width / 8
  try {
    return await writing(blobs, (writer) =>
      pass(crew, slotBytes, width * vectors.length, order, {
        read: ({ start, count }, slot) =>
          settled(
            vectors.map((vector, i) =>
              vector.read(start * width, new Uint8Array(slot.input, i * count * width, count * width)),
            ),
          ),
        task: (range, slot) => ({ work: 'unmask', order, ...range, slot }),
        write(bytes) {
          alter?.(bytes)
          return writer.write(bytes)
        },
      }),
    )
  } finally {
    await Promise.all(vectors.map((vector) => vector.close()))
  }
}

/** @throws blob-missing, wrong-shape; nothing stays open */
async function openAll(blobs: Blobs, order: UnmaskOrder): Promise<BlobReader[]> {
  const opened: BlobReader[] = []
  try {
    for (const { organisation, vector } of order.vectors) {
      const reader = await blobs.open(vector)
      opened.push(reader)
      if (reader.size !== vectorBytes(order))
        fail(
          'wrong-shape',
          `the vector of ${organisation} has ${reader.size} bytes where ${vectorBytes(order)} are due`,
        )
    }
    return opened
  } catch (error) {
    await Promise.all(opened.map((reader) => reader.close()))
    throw error
  }
}

interface Pass {
  /** Slots in which results take the place of what was read. */
  readonly inPlace?: Slots
  read(range: Range, slot: Slot): Promise<void>
  task(range: Range, slot: Slot): RangeTask
  write(bytes: Uint8Array, clipped: number): Promise<void>
}

/** @param inputBytes - of one coordinate in a slot */
async function pass(
  crew: Crew,
  slotBytes: number,
  inputBytes: number,
  { length, scale }: Pick<MaskOrder, 'length' | 'scale'>,
  { inPlace, read, task, write }: Pass,
): Promise<void> {
  const ranges = rangesOf(length, Math.floor(slotBytes / inputBytes), crew.size)
  const longest = ranges[0]?.count ?? 0
  const width = scale.width / 8
  const count = Math.min(crew.size + 1, ranges.length)
  const slots = inPlace?.take(count) ?? separateSlots(count, longest * inputBytes, longest * width)
  await inTurns(ranges, slots, {
    read,
    work: (turn, range, slot) => crew.run(turn, task(range, slot)),
    write: ({ count }, slot, clipped) => write(new Uint8Array(slot.output, 0, count * width), clipped),
  })
  // After a failure, threads may still be at work in some of them.
  inPlace?.giveBack(slots)
}

function separateSlots(count: number, inputBytes: number, outputBytes: number): Slot[] {
  return Array.from({ length: count }, () => ({
    input: new SharedArrayBuffer(inputBytes),
    output: new SharedArrayBuffer(outputBytes),
  }))
}

async function writing(blobs: Blobs, work: (writer: BlobWriter) => Promise<void>): Promise<StoredVector> {
  const writer = await blobs.create()
  try {
    await work(writer)
    return await writer.commit()
  } catch (error) {
    await writer.abort()
    throw error
  }
}

/** Settled only when no read is under way any more, since the files are closed next. */
async function settled(reads: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(reads)) if (outcome.status === 'rejected') throw outcome.reason
}
