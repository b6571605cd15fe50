/**
 * First-fit allocator over the linear memory of the kernels. The kernels themselves allocate nothing, so this file is the
 * only one that decides which byte belongs to whom.
 *
 * Invariants: blocks are disjoint and aligned to 64 bytes; the free list is sorted by offset and coalesced, so that
 * thousands of equal calls do not grow the memory.
 */

import { fail } from '../../base/errors.ts'

const ALIGNMENT = 64
const PAGE_BYTES = 65536
/** What 32-bit addresses reach, in pages. */
const PAGES_MAX = 65536

export function pagesFor(bytes: number): number {
  return Math.ceil(bytes / PAGE_BYTES)
}

/** The part of WebAssembly.Memory that is used here. */
export interface LinearMemory {
  readonly buffer: ArrayBuffer
  grow(pages: number): number
}

interface Span {
  offset: number
  bytes: number
}

export class Arena {
  readonly #memory: LinearMemory
  readonly #free: Span[] = []
  readonly #taken = new Map<number, number>()
  /** First byte that no block has ever covered. */
  #top: number
  #bytesInUse = 0

  constructor(memory: LinearMemory, base: number) {
    this.#memory = memory
    this.#top = align(Math.max(base, ALIGNMENT))
  }

  get bytesInUse(): number {
    return this.#bytesInUse
  }

  /** Offset of a block of at least `bytes`; its content is whatever was there. @throws model-invalid beyond 4 GiB */
  allocate(bytes: number): number {
    if (!Number.isSafeInteger(bytes) || bytes < 0) fail('internal', `cannot allocate ${bytes} bytes for the kernels`)
    const size = align(Math.max(bytes, 1))
    const offset = this.#fromFreeList(size) ?? this.#fromTop(size)
    this.#taken.set(offset, size)
    this.#bytesInUse += size
    return offset
  }

  /** Gives a block back. @throws internal for an offset that is not allocated: a double release would corrupt a model. */
  release(offset: number): void {
    const bytes = this.#taken.get(offset)
    if (bytes === undefined) fail('internal', 'a block of the kernels was released twice')
    this.#taken.delete(offset)
    this.#bytesInUse -= bytes
    let at = this.#free.findIndex((span) => span.offset > offset)
    if (at < 0) at = this.#free.length
    this.#free.splice(at, 0, { offset, bytes })
    this.#coalesce(at)
    this.#coalesce(at - 1)
  }

  float32(offset: number, length: number): Float32Array<ArrayBuffer> {
    return new Float32Array(this.#memory.buffer, offset, length)
  }

  float64(offset: number, length: number): Float64Array<ArrayBuffer> {
    return new Float64Array(this.#memory.buffer, offset, length)
  }

  bytes(offset: number, length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#memory.buffer, offset, length)
  }

  #fromFreeList(size: number): number | undefined {
    const at = this.#free.findIndex((span) => span.bytes >= size)
    const span = this.#free[at]
    if (span === undefined) return undefined
    const { offset } = span
    if (span.bytes === size) this.#free.splice(at, 1)
    else {
      span.offset += size
      span.bytes -= size
    }
    return offset
  }

  #fromTop(size: number): number {
    const offset = this.#top
    const pagesNeeded = pagesFor(offset + size)
    const pages = this.#memory.buffer.byteLength / PAGE_BYTES
    if (pagesNeeded > PAGES_MAX)
      fail('model-invalid', `the kernels address 4 GiB at most; ${offset + size} bytes were asked for`)
    if (pagesNeeded > pages) this.#grow(pagesNeeded - pages, pages)
    this.#top = offset + size
    return offset
  }

  #grow(pagesMissing: number, pages: number): void {
    // At least an eighth more, so that many small blocks do not mean many moves of the memory.
    const generous = Math.min(Math.max(pagesMissing, pages >> 3), PAGES_MAX - pages)
    try {
      this.#memory.grow(generous)
    } catch {
      fail('unavailable', `no memory for ${generous * PAGE_BYTES} more bytes of tensors`)
    }
  }

  /** Joins span `at` with its successor when they touch. */
  #coalesce(at: number): void {
    const span = this.#free[at]
    const next = this.#free[at + 1]
    if (span === undefined || next === undefined || span.offset + span.bytes !== next.offset) return
    span.bytes += next.bytes
    this.#free.splice(at + 1, 1)
  }
}

function align(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT
}
