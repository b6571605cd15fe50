/**
 * The rows of a training in a file without a name: more of them than memory should hold. The system keeps what it likes of
 * it in its cache, and takes it away with the process, whatever ended that.
 */

import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { EntenteError, fail } from '../base/errors.ts'
import type { RowReader } from '../models/model.ts'

export interface RowFile extends RowReader {
  /** Takes values behind those that are there. @throws storage-full */
  append(values: Float32Array): void
  close(): void
}

/** In this directory, which is the organisation's own: its rows are as confidential as its logs. @throws storage-full */
export function createRowFile(directory: string): RowFile {
  const path = join(directory, `.rows-${process.pid}-${crypto.randomUUID()}`)
  const file = orFull(() => openSync(path, 'wx+', 0o600))
  unlinkSync(path)
  let length = 0

  function append(values: Float32Array): void {
    const bytes = bytesOf(values)
    for (let at = 0; at < bytes.length; )
      at += orFull(() => writeSync(file, bytes, at, bytes.length - at, 4 * length + at))
    length += values.length
  }

  function read(from: number, into: Float32Array): void {
    const bytes = bytesOf(into)
    for (let at = 0; at < bytes.length; ) {
      const count = readSync(file, bytes, at, bytes.length - at, 4 * from + at)
      if (count === 0) fail('internal', 'a training asked for rows that it was not given')
      at += count
    }
  }

  return {
    get length() {
      return length
    },
    append,
    read,
    close: () => closeSync(file),
  }
}

/** A file that `fill` has filled; closed if it fails. */
export async function filledRowFile(directory: string, fill: (file: RowFile) => Promise<void>): Promise<RowFile> {
  const file = createRowFile(directory)
  try {
    await fill(file)
    return file
  } catch (error) {
    file.close()
    throw error
  }
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
}

function orFull<T>(work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOSPC') throw cause
    throw new EntenteError('storage-full', 'the disk is full: there is no room for the rows to train on', { cause })
  }
}
