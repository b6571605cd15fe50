/** Zips of logs: entries by name, one at a time, streamed. */

import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { PassThrough, pipeline, type Readable } from 'node:stream'
import { type Entry, fromRandomAccessReaderPromise, RandomAccessReader, type ZipFile } from 'yauzl'

/** A zip of more files is no archive of logs, and its list would fill the memory. */
const ENTRIES_MAX = 100_000
/** End of central directory record, APPNOTE.TXT section 4.3.16: 22 bytes and a comment of at most 65,535. */
const END_SIGNATURE = 0x06054b50
const END_BYTES = 22
const TAIL_BYTES = END_BYTES + 65_535

class FileRange extends RandomAccessReader {
  private readonly path: string

  constructor(path: string) {
    super()
    this.path = path
  }

  override _readStreamForRange(start: number, end: number): Readable {
    return createReadStream(this.path, { start, end: end - 1 })
  }
}

/** Where the archive ends: some tools append a line end, which unzip ignores and a strict reader refuses. */
async function archiveLength(path: string): Promise<number> {
  const file = await open(path, 'r')
  try {
    const { size } = await file.stat()
    const tail = Buffer.alloc(Math.min(size, TAIL_BYTES))
    const { bytesRead } = await file.read(tail, 0, tail.length, size - tail.length)
    for (let at = bytesRead - END_BYTES; at >= 0; at--) {
      if (tail.readUInt32LE(at) !== END_SIGNATURE) continue
      const end = at + END_BYTES + tail.readUInt16LE(at + 20)
      if (end <= bytesRead) return size - bytesRead + end
    }
    return size
  } finally {
    await file.close()
  }
}

async function zipFile(path: string): Promise<ZipFile> {
  const length = await archiveLength(path)
  return fromRandomAccessReaderPromise(new FileRange(path), length, { lazyEntries: true, autoClose: false })
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

/** The bytes of an entry; of the only log in the zip if none is named. @throws Error if it cannot be read */
export async function unzip(path: string, name: string | undefined, chunkBytes: number): Promise<Readable> {
  const zip = await zipFile(path)
  try {
    const entry = await pick(zip, name)
    const inside = await new Promise<Readable>((resolve, reject) => {
      zip.openReadStream(entry, (error, stream) => (error ? reject(error) : resolve(stream)))
    })
    const plain = new PassThrough({ highWaterMark: chunkBytes })
    pipeline(inside, plain, () => zip.close())
    return plain
  } catch (cause) {
    zip.close()
    throw cause
  }
}

/** Names of the logs, sorted, each once. @throws Error if the zip cannot be read */
export async function entryNames(path: string): Promise<readonly string[]> {
  const zip = await zipFile(path)
  try {
    return [...new Set((await entriesOf(zip)).map((entry) => entry.fileName))].sort()
  } finally {
    zip.close()
  }
}
