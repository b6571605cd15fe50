/** Where detections go: lines gathered between two pauses of the reader, and written then, so that memory is bounded. */

import { once } from 'node:events'
import { open } from 'node:fs/promises'
import { cannotWrite } from './cannot-write.ts'

/** Whoever reads the pipe has seen enough: an end, not an error. */
export class OutputClosed extends Error {
  override readonly name = 'OutputClosed'
}

export interface Output {
  line(value: unknown): void
  /** Returns when everything has been taken. @throws OutputClosed, storage-full */
  flush(): Promise<void>
  /** Flushes, and gives the file back. */
  close(): Promise<void>
}

function gathered(write: (text: string) => Promise<void>, end: () => Promise<void>): Output {
  let lines: string[] = []
  async function flush(): Promise<void> {
    if (lines.length === 0) return
    const text = `${lines.join('\n')}\n`
    lines = []
    await write(text)
  }
  return {
    line: (value) => void lines.push(JSON.stringify(value)),
    flush,
    close: async () => {
      await flush().finally(end)
    },
  }
}

/** A stream such as standard output; it stays open. */
export function streamOutput(stream: NodeJS.WritableStream): Output {
  let failure: NodeJS.ErrnoException | undefined
  const onError = (error: NodeJS.ErrnoException): void => void (failure ??= error)
  stream.on('error', onError)

  function assertOpen(): void {
    if (failure?.code === 'EPIPE' || failure?.code === 'ERR_STREAM_DESTROYED') throw new OutputClosed()
    if (failure !== undefined) throw failure
  }

  async function write(text: string): Promise<void> {
    assertOpen()
    if (!stream.write(text)) await once(stream, 'drain').catch(onError)
    assertOpen()
  }

  // Listening goes on: the error of the last write may come late, and nobody else would hear it.
  return gathered(write, async () => undefined)
}

/** A file, readable by its owner only. @throws storage-full; config-invalid if it cannot be written */
export async function fileOutput(path: string, options: { readonly append: boolean }): Promise<Output> {
  const file = await open(path, options.append ? 'a' : 'w', 0o600).catch(cannotWrite(path))
  return gathered(
    (text) => file.appendFile(text).catch(cannotWrite(path)),
    () => file.close(),
  )
}
