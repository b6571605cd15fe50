/**
 * What survives a crash. The log is a list of frames, each under a checksum: what was synced is there afterwards; of
 * what was written since, any prefix may be there, its last frame torn.
 */

import { crc32 } from 'node:zlib'
import type { Digest } from '../../src/base/ids.ts'
import type { Prng } from '../../src/base/prng.ts'

export interface Upload {
  bytes: Uint8Array
  /** Bytes that an fsync covers. */
  synced: number
}

export interface Disk {
  /** Appends a frame; durable only after {@link sync}. */
  append(entry: unknown): void
  /** Makes every frame durable; returns the entries that became so, in order. */
  sync(): readonly unknown[]
  /** Power loss: unsynced frames survive in part. */
  crash(random: Prng): void
  /** Reads the log as a restarted process does: up to the first frame that its checksum does not cover; the rest is cut off. */
  recover(): { readonly entries: readonly unknown[]; readonly dropped: number }
  readonly blobs: Map<Digest, Uint8Array>
  store(digest: Digest, bytes: Uint8Array): void
  /** All that was ever stored: for checkers, who compute again what nodes have forgotten. No process reads it. */
  readonly everStored: ReadonlyMap<Digest, Uint8Array>
  readonly uploads: Map<Digest, Upload>
}

function frameOf(entry: unknown): string {
  const body = JSON.stringify(entry)
  return `${crc32(body).toString(16).padStart(8, '0')} ${body.length} ${body}`
}

function entryOf(frame: string): { readonly entry: unknown } | undefined {
  const parts = /^([0-9a-f]{8}) ([0-9]+) /.exec(frame)
  if (parts === null) return undefined
  const body = frame.slice(parts[0].length)
  if (body.length !== Number(parts[2]) || crc32(body) !== Number.parseInt(parts[1] ?? '', 16)) return undefined
  return { entry: frozen(JSON.parse(body)) }
}

/** What is stored is shared by all who read it; whoever changes what it read fails at once. */
function frozen<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value
  for (const member of Object.values(value)) frozen(member)
  return Object.freeze(value)
}

export function createDisk(): Disk {
  const frames: string[] = []
  const pending: unknown[] = []
  const blobs = new Map<Digest, Uint8Array>()
  const everStored = new Map<Digest, Uint8Array>()
  const uploads = new Map<Digest, Upload>()

  function store(digest: Digest, bytes: Uint8Array): void {
    blobs.set(digest, bytes)
    everStored.set(digest, bytes)
  }

  function append(entry: unknown): void {
    const frame = frameOf(entry)
    frames.push(frame)
    // Readers see what was stored, not the objects of the writer.
    pending.push(entryOf(frame)?.entry)
  }

  function crash(random: Prng): void {
    const written = pending.splice(0).length
    const kept = random.below(written + 1)
    const torn = frames.splice(frames.length - written + kept)[0]
    if (torn !== undefined && random.uniform() < 0.7) frames.push(tear(torn, random))
    for (const upload of uploads.values()) {
      const length = upload.synced + random.below(upload.bytes.length - upload.synced + 1)
      upload.bytes = upload.bytes.subarray(0, length)
      upload.synced = length
    }
  }

  function recover(): { entries: readonly unknown[]; dropped: number } {
    const entries: unknown[] = []
    for (const frame of frames) {
      const read = entryOf(frame)
      if (read === undefined) break
      entries.push(read.entry)
    }
    const dropped = frames.splice(entries.length).length
    return { entries, dropped }
  }

  return { append, sync: () => pending.splice(0), crash, recover, blobs, store, everStored, uploads }
}

/** A sector that was being written: cut short, or with old bytes in it. */
function tear(frame: string, random: Prng): string {
  const at = random.below(frame.length)
  if (random.uniform() < 0.5) return frame.slice(0, at)
  return `${frame.slice(0, at)}\0${frame.slice(at + 1)}`
}
