/** Several text files written side by side in large blocks. */

import { closeSync, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { diskError } from '../ingest/disk-error.ts'

const BLOCK_CHARACTERS = 1 << 18

export interface LineFile {
  readonly path: string
  add(line: string): void
}

class BlockFile implements LineFile {
  readonly path: string
  private readonly file: number
  private block = ''

  constructor(path: string) {
    this.path = path
    this.file = openSync(path, 'w')
  }

  add(line: string): void {
    this.block += line
    this.block += '\n'
    if (this.block.length >= BLOCK_CHARACTERS) this.flush()
  }

  private flush(): void {
    try {
      const bytes = Buffer.from(this.block, 'utf8')
      for (let done = 0; done < bytes.length; ) done += writeSync(this.file, bytes, done)
    } catch (cause) {
      diskError(cause)
    }
    this.block = ''
  }

  finish(): void {
    this.flush()
    try {
      fsyncSync(this.file)
    } catch (cause) {
      diskError(cause)
    }
  }

  close(): void {
    closeSync(this.file)
  }
}

/** Runs `work` with one file a name in `directory`; all are flushed when it returns. @throws storage-full */
export async function withLineFiles<T>(
  directory: string,
  names: readonly string[],
  work: (files: readonly LineFile[]) => Promise<T>,
): Promise<T> {
  mkdirSync(directory, { recursive: true })
  const files = names.map((name) => new BlockFile(join(directory, name)))
  try {
    const result = await work(files)
    for (const file of files) file.finish()
    return result
  } finally {
    for (const file of files) file.close()
  }
}
