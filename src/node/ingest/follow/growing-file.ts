/** A file that grows, read by whole lines from an offset on. */

import { type FileHandle, open, readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fail } from '../../../base/errors.ts'
import { LINE_LENGTH_MAX } from '../lines.ts'
import { cannotRead } from '../open.ts'

const CHUNK_BYTES = 1 << 18
/** UTF-8 has at most three bytes for one UTF-16 unit. */
const LINE_BYTES_MAX = 3 * LINE_LENGTH_MAX
const TAIL_BYTES = 64

type Identified = { readonly dev: bigint; readonly ino: bigint }
const identityOf = ({ dev, ino }: Identified): string => `${dev}:${ino}`

/** Device and inode of what the path names now; undefined if it names nothing. */
export async function fileAt(path: string): Promise<string | undefined> {
  const found = await stat(path, { bigint: true }).catch(() => undefined)
  return found?.isFile() === true ? identityOf(found) : undefined
}

/** The file of that identity beside `path`: where rotation has put it. */
export async function findBeside(path: string, identity: string): Promise<string | undefined> {
  const directory = dirname(path)
  const names = await readdir(directory).catch(() => [])
  for (const name of names.filter((other) => other !== basename(path)).sort())
    if ((await fileAt(join(directory, name))) === identity) return join(directory, name)
  return undefined
}

export class GrowingFile {
  readonly identity: string
  private readonly file: FileHandle
  private at = 0
  private before: Buffer = Buffer.alloc(0)
  private dropping = false
  private buffer = Buffer.alloc(CHUNK_BYTES)

  private constructor(file: FileHandle, identity: string) {
    this.file = file
    this.identity = identity
  }

  /** Undefined if there is no such file, as in the middle of a rotation. @throws input-invalid if it cannot be read */
  static async open(path: string): Promise<GrowingFile | undefined> {
    const found = await stat(path).catch(() => undefined)
    if (found === undefined) return undefined
    // Opening a pipe that nobody writes to would wait for ever.
    if (!found.isFile()) fail('input-invalid', `${path} is not a file: only a file can be followed`)
    const file = await open(path, 'r').catch((cause: NodeJS.ErrnoException) =>
      cause.code === 'ENOENT' ? undefined : cannotRead(path, cause),
    )
    if (file === undefined) return undefined
    return new GrowingFile(file, identityOf(await file.stat({ bigint: true })))
  }

  /** Bytes read so far, up to a line's end. */
  get offset(): number {
    return this.at
  }

  /** What lies directly before the offset, in base64. */
  get tail(): string {
    return this.before.toString('base64')
  }

  /** True if the file still holds what was read: it was neither cut nor written anew. */
  async holds(offset: number, tail: string): Promise<boolean> {
    const expected = Buffer.from(tail, 'base64')
    const found = Buffer.alloc(expected.length)
    const { bytesRead } = await this.file.read(found, 0, found.length, Math.max(0, offset - found.length))
    return (await this.file.stat()).size >= offset && bytesRead === found.length && found.equals(expected)
  }

  holdsWhatWasRead(): Promise<boolean> {
    return this.holds(this.at, this.tail)
  }

  seek(offset: number, tail: string): void {
    this.at = offset
    this.before = Buffer.from(tail, 'base64')
    this.dropping = false
  }

  /** The next lines that are complete; undefined if there are none. A line beyond all bounds comes cut, and once. */
  async next(): Promise<readonly string[] | undefined> {
    for (;;) {
      const { bytesRead } = await this.file.read(this.buffer, 0, this.buffer.length, this.at)
      const end = this.buffer.subarray(0, bytesRead).lastIndexOf(10) + 1
      if (end > 0) return this.take(end)
      if (bytesRead < this.buffer.length) return undefined
      if (bytesRead >= LINE_BYTES_MAX) return this.drop(bytesRead)
      this.buffer = Buffer.alloc(this.buffer.length * 2)
    }
  }

  private take(end: number): readonly string[] {
    const bytes = this.buffer.subarray(0, end)
    const lines = bytes.toString('utf8', 0, end - 1).split('\n')
    this.advance(bytes)
    if (this.dropping) lines.shift()
    this.dropping = false
    return lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line))
  }

  private drop(bytesRead: number): readonly string[] {
    const lines = this.dropping ? [] : [this.buffer.toString('latin1', 0, LINE_LENGTH_MAX + 1)]
    this.advance(this.buffer.subarray(0, bytesRead))
    this.dropping = true
    return lines
  }

  private advance(bytes: Buffer): void {
    this.at += bytes.length
    this.before = Buffer.from(Buffer.concat([this.before, bytes.subarray(-TAIL_BYTES)]).subarray(-TAIL_BYTES))
  }

  /** What comes after the last line end: the end of a file that nobody writes to any more. */
  async rest(): Promise<string | undefined> {
    const { bytesRead } = await this.file.read(this.buffer, 0, this.buffer.length, this.at)
    if (bytesRead === 0 || this.dropping) return undefined
    const text = this.buffer.toString('utf8', 0, bytesRead)
    this.advance(this.buffer.subarray(0, bytesRead))
    return text
  }

  close(): Promise<void> {
    return this.file.close()
  }
}
