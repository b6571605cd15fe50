/** A file that appears under its name only when it is whole, or a stream that is there already. */

import { randomBytes } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { fail } from '../../base/errors.ts'
import { OutputClosed } from '../detect/output.ts'
import { diskError } from '../ingest/disk-error.ts'

export interface Output {
  write(text: string): Promise<void>
  /** Gives the file its name; until then a reader sees the old one or none. */
  commit(): Promise<void>
  abort(): Promise<void>
}

/** @throws config-invalid if it cannot be created there; storage-full while writing, with the older file intact */
export async function outputFile(path: string): Promise<Output> {
  const partial = `${path}.${randomBytes(6).toString('hex')}`
  const file = await open(partial, 'wx', 0o600).catch((error: Error) =>
    fail('config-invalid', `the output cannot be written: ${error.message}`),
  )
  return {
    write: async (text) => void (await file.appendFile(text).catch(diskError)),
    async commit() {
      await file.sync()
      await file.close()
      await rename(partial, path)
    },
    async abort() {
      await file.close().catch(() => undefined)
      await rm(partial, { force: true })
    },
  }
}

/** Waits where the reader of the stream is slower than we are. @throws OutputClosed when it reads no more (`| head`) */
export function outputStream(stream: NodeJS.WritableStream): Output {
  // Without a listener the error would end the process from outside; the write that failed reports it.
  stream.on('error', () => undefined)
  return {
    write: (text) =>
      new Promise((resolve, reject) => {
        stream.write(text, (cause) => {
          if (cause === null || cause === undefined) resolve()
          else reject((cause as NodeJS.ErrnoException).code === 'EPIPE' ? new OutputClosed() : cause)
        })
      }),
    commit: async () => undefined,
    abort: async () => undefined,
  }
}
