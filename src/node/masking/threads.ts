/**
 * Masking and unmasking over stored blobs, range after range of the coordinates, each range in one of several threads.
 *
 * 1. The bits do not depend on the number of threads nor on the size of the ranges: masks can begin at any 16 bytes.
 * 2. Memory is one slot more than there are threads, however long the vectors are; threads keep those for updates.
 * 3. The calling thread reads, hashes and writes only; ciphers and sums run beside it.
 */

import type { Digest } from '../../base/ids.ts'
import type { MaskOrder, UnmaskOrder } from '../../privacy/masking/vector.ts'
import type { BlobReader, Blobs } from '../ports.ts'
import { createCrew } from './crew.ts'
import { createSlots } from './slots.ts'
import { maskStored, unmaskStored } from './stored.ts'

/** float32 values, little-endian, from byte `dataOffset` of a file: of an update's file, its data section. */
export interface StoredValues {
  readonly file: Pick<BlobReader, 'read'>
  readonly dataOffset: number
}

/** A vector of integers in a blob: `vectorBytes(order)` bytes, nothing else. */
export interface StoredVector {
  readonly digest: Digest
  readonly size: number
}

export type Alter = (words: Uint8Array) => void

export interface MaskingThreads {
  /**
   * The effect `mask`: quantises and masks an update, and stores the vector.
   * `clipped`: coordinates beyond the clip bound.
   * @throws not-finite, sample-count-invalid, blob-truncated, storage-full; wrong-shape for an array of another length;
   * unavailable (retryable) if a thread died
   */
  mask(order: MaskOrder, update: StoredValues | Float32Array): Promise<StoredVector & { readonly clipped: number }>
  /**
   * The effect `unmask`: sums the stored vectors that the order names, takes off what is left of the masks, and stores
   * the sum of the quantised updates.
   * @param alter changes the words of the sum in place, piece by piece in order, before they are stored: for noise
   * @throws blob-missing; wrong-shape for a vector of another length; storage-full; unavailable (retryable)
   */
  unmask(order: UnmaskOrder, alter?: Alter): Promise<StoredVector>
  /** Ends the threads; calls under way fail with `unavailable`. */
  close(): Promise<void>
}

export interface MaskingOptions {
  readonly blobs: Blobs
  /** 0: in the calling thread, as the simulator has it. Default 1. Threads start with the first call. */
  readonly threads?: number
  /** Bytes of vectors that a slot holds, at least 64 KiB of each; by default all slots together hold 64 MiB. */
  readonly slotBytes?: number
}

const SLOTS_BYTES = 64 << 20

export function createMaskingThreads({ blobs, threads = 1, slotBytes }: MaskingOptions): MaskingThreads {
  const crew = createCrew(threads)
  // The calling thread masks small vectors, for which nothing is kept.
  const slots = createSlots(threads === 0 ? 0 : threads + 1)
  const job = { blobs, crew, slotBytes: slotBytes ?? SLOTS_BYTES / (crew.size + 1), slots }
  return {
    mask: (order, update) => maskStored(job, order, update),
    unmask: (order, alter) => unmaskStored(job, order, alter),
    close: () => crew.close(),
  }
}
