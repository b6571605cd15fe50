/** Log files as byte streams: plain, gzip, zstd, or a log inside a zip. The content decides, not the name. */

import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { PassThrough, pipeline, type Readable, type Transform } from 'node:stream'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { type Entry, open as openZip, type ZipFile } from 'yauzl'
import { EntenteError } from '../../base/errors.ts'

/** Larger chunks are no faster, and their lines are all alive at once: 1 MiB cost 90 MB more of DARPA's largest site. */
const CHUNK_BYTES = 1 << 18
const ZIP = 0x504b0304
const ZSTD = 0x28b52ffd
/** A zip of more files is no archive of logs, and its list would fill the memory. */
const ENTRIES_MAX = 100_000

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

function zipFile(path: string): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    openZip(path, { lazyEntries: true, autoClose: false }, (error, zip) => (error ? reject(error) : resolve(zip)))
  })
}

/** Directories and the dot files that some archivers add are not logs. */
function isLog(entry: Entry): boolean {
  return !entry.fileName.endsWith('/') && !/(^|\/)(\.|__MACOSX\/)/.test(entry.fileName)
}

function entriesOf(zip: ZipFile): Promise<Entry[]> {
  return new Promise((resolve, reject) => {
    const logs: Entry[] = []
    zip.on('error', reject)
    zip.on('entry', (entry: Entry) => {
      if (isLog(entry)) logs.push(entry)
      if (logs.length > ENTRIES_MAX) reject(new Error(`it holds more than ${ENTRIES_MAX} files`))
      else zip.readEntry()
    })
    zip.on('end', () => resolve(logs))
    zip.readEntry()
  })
}

async function pick(zip: ZipFile, name: string | undefined): Promise<Entry> {
  const logs = await entriesOf(zip)
  const found = logs.filter((entry) => name === undefined || entry.fileName === name)
  const [log] = found
  // Of two entries of one name the first is read: the second would be read by other programs only.
  if (log !== undefined && (found.length === 1 || name !== undefined)) return log
  throw new Error(name === undefined ? `it holds ${logs.length} files; one log is expected` : `it holds no ${name}`)
}

async function unzip(path: string, name: string | undefined): Promise<Readable> {
  const zip = await zipFile(path)
  try {
    const entry = await pick(zip, name)
    const inside = await new Promise<Readable>((resolve, reject) => {
      zip.openReadStream(entry, (error, stream) => (error ? reject(error) : resolve(stream)))
    })
    const plain = new PassThrough({ highWaterMark: CHUNK_BYTES })
    pipeline(inside, plain, () => zip.close())
    return plain
  } catch (cause) {
    zip.close()
    throw cause
  }
}

/**
 * Names of the logs in a zip, sorted, each once; undefined if the file is no zip.
 * @throws input-invalid if it cannot be read
 */
export async function zipEntries(path: string): Promise<readonly string[] | undefined> {
  if ((await magicOf(path)) !== ZIP) return undefined
  try {
    const zip = await zipFile(path)
    try {
      return [...new Set((await entriesOf(zip)).map((entry) => entry.fileName))].sort()
    } finally {
      zip.close()
    }
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
    if (magic === ZIP) return await unzip(path, entry)
  } catch (cause) {
    cannotRead(path, cause)
  }
  return createReadStream(path, { highWaterMark: CHUNK_BYTES })
}
