/** Lines of a byte stream, in batches of a chunk, in bounded memory. */

import { StringDecoder } from 'node:string_decoder'
import { cannotRead, openLog } from './open.ts'

/** A longer line is no log line: its head is handed on as refused, and the rest is dropped unread. */
export const LINE_LENGTH_MAX = 1 << 20

export interface LineBatch {
  readonly lines: readonly string[]
  /** True if the last of `lines` had no line end: the file ends in the middle of it, or just without one. */
  readonly unterminated: boolean
}

class Splitter {
  private rest = ''
  private overlong = false

  /** Lines completed by `text`. An over-long line comes once, cut; what follows of it is swallowed. */
  split(text: string): string[] {
    const pieces = (this.rest + text).split('\n')
    this.rest = pieces.pop() as string
    if (this.overlong && pieces.length > 0) {
      pieces.shift()
      this.overlong = false
    }
    if (this.rest.length > LINE_LENGTH_MAX) {
      if (!this.overlong) pieces.push(this.rest.slice(0, LINE_LENGTH_MAX + 1))
      this.overlong = true
      this.rest = ''
    }
    for (let i = 0; i < pieces.length; i++)
      if ((pieces[i] as string).endsWith('\r')) pieces[i] = (pieces[i] as string).slice(0, -1)
    return pieces
  }

  end(text: string): string | undefined {
    const last = this.rest + text
    return last === '' || this.overlong ? undefined : last
  }
}

/** @throws input-invalid if the file cannot be read, or its compression is damaged (after what came before it). */
export async function* readLines(path: string, entry?: string): AsyncGenerator<LineBatch> {
  const stream = await openLog(path, entry)
  const decoder = new StringDecoder('utf8')
  const splitter = new Splitter()
  try {
    for await (const chunk of stream) {
      const lines = splitter.split(decoder.write(chunk as Buffer))
      if (lines.length > 0) yield { lines, unterminated: false }
    }
  } catch (cause) {
    cannotRead(path, cause)
  } finally {
    stream.destroy()
  }
  const last = splitter.end(decoder.end())
  if (last !== undefined) yield { lines: [last], unterminated: true }
}
