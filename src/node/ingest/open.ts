/** Log files as byte streams: plain, gzip, or the one log inside a zip. The content decides, not the name. */

import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { PassThrough, pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { type Entry, open as openZip, type ZipFile } from 'yauzl'
import { EntenteError } from '../../base/errors.ts'

/** Larger chunks are no faster, and their lines are all alive at once: 1 MiB cost 90 MB more of DARPA's largest site. */
const CHUNK_BYTES = 1 << 18

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

function gunzip(path: string): Readable {
  const plain = createGunzip({ chunkSize: CHUNK_BYTES })
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

function soleLog(zip: ZipFile, path: string): Promise<Entry> {
  return new Promise((resolve, reject) => {
    const logs: Entry[] = []
    zip.on('error', reject)
    zip.on('entry', (entry: Entry) => {
      if (isLog(entry)) logs.push(entry)
      zip.readEntry()
    })
    zip.on('end', () => {
      const [log] = logs
      if (log !== undefined && logs.length === 1) resolve(log)
      else reject(new Error(`${path} holds ${logs.length} files; one log is expected`))
    })
    zip.readEntry()
  })
}

async function unzip(path: string): Promise<Readable> {
  const zip = await zipFile(path)
  try {
    const entry = await soleLog(zip, path)
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

/** Decompressed bytes of a log file. @throws input-invalid if it cannot be read, or is a zip of several files. */
export async function openLog(path: string): Promise<Readable> {
  const magic = await magicOf(path)
  try {
    if (magic >>> 16 === 0x1f8b) return gunzip(path)
    if (magic === 0x504b0304) return await unzip(path)
  } catch (cause) {
    cannotRead(path, cause)
  }
  return createReadStream(path, { highWaterMark: CHUNK_BYTES })
}
