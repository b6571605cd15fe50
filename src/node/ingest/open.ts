/** Log files as byte streams: plain, gzip, zstd, or a log inside a zip. The content decides, not the name. */

import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { pipeline, type Readable, type Transform } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { EntenteError } from '../../base/errors.ts'
import { entryNames, unzip } from './zip.ts'

/** Larger chunks are no faster, and their lines are all alive at once: 1 MiB cost 90 MB more of DARPA's largest site. */
const CHUNK_BYTES = 1 << 18
const ZIP = 0x504b0304
const ZSTD = 0x28b52ffd

async function magicOf(path: string): Promise<number> {
  const file = await open(path, 'r').catch((cause: unknown) => cannotRead(path, cause))
  try {
    const head = Buffer.alloc(4)
    const { bytesRead } = await file.read(head, 0, 4, 0)
    return bytesRead === 4 ? head.readUInt32BE(0) : 0
  } catch (cause) {
    return cannotRead(path, cause)
  } finally {
    await file.close()
  }
}

export function cannotRead(path: string, cause: unknown): never {
  throw new EntenteError(
    'input-invalid',
    `cannot read ${path}: ${cause instanceof Error ? cause.message : String(cause)}`,
    { cause },
  )
}

function decompress(path: string, plain: Transform): Readable {
  pipeline(createReadStream(path, { highWaterMark: CHUNK_BYTES }), plain, () => {})
  return plain
}

/**
 * Names of the logs in a zip, sorted, each once; undefined if the file is no zip.
 * @throws input-invalid if it cannot be read
 */
export async function zipEntries(path: string): Promise<readonly string[] | undefined> {
  if ((await magicOf(path)) !== ZIP) return undefined
  try {
    return await entryNames(path)
  } catch (cause) {
    return cannotRead(path, cause)
  }
}

/**
 * Decompressed bytes of a log file, or of the entry so named of a zip.
 * @throws input-invalid if it cannot be read, or is a zip of several files and no entry is named
 */
export async function openLog(path: string, entry?: string): Promise<Readable> {
  const magic = await magicOf(path)
  try {
    if (magic >>> 16 === 0x1f8b) return decompress(path, createGunzip({ chunkSize: CHUNK_BYTES }))
    if (magic === ZSTD) return decompress(path, createZstdDecompress({ chunkSize: CHUNK_BYTES }))
    if (magic === ZIP) return await unzip(path, entry, CHUNK_BYTES)
  } catch (cause) {
    cannotRead(path, cause)
  }
  return createReadStream(path, { highWaterMark: CHUNK_BYTES })
}
