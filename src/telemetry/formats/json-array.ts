/**
 * Records of a file that is one JSON array of objects, pretty-printed or not, as some exports of alert logs are: the
 * objects come out one by one, so that the file is never held as a whole. Any other file passes line by line.
 */

/** A longer record is given up: it comes out cut, which no parser takes. */
export const RECORD_LENGTH_MAX = 1 << 20

export interface ArrayRecords {
  /** Records that this line completes; the line itself unless the file is an array. */
  push(line: string): readonly string[]
  /** True once the file turned out to be an array. */
  readonly isArray: boolean
  /** The beginning of a record that the file's end cut off. */
  finish(): string | undefined
}

export function arrayRecords(): ArrayRecords {
  let mode: 'unknown' | 'lines' | 'array' = 'unknown'
  let record = ''
  let depth = 0
  let inText = false
  let escaped = false

  /** Follows the nesting through a line; braces inside texts are none. */
  function scan(line: string, from: number): readonly string[] {
    const complete: string[] = []
    let begin = depth > 0 ? from : -1
    for (let at = from; at < line.length; at++) {
      const code = line.charCodeAt(at)
      if (inText) {
        if (escaped) escaped = false
        else if (code === 92) escaped = true
        else if (code === 34) inText = false
      } else if (code === 34) inText = depth > 0
      else if (code === 123 && depth++ === 0) begin = at
      else if (code === 125 && depth > 0 && --depth === 0) {
        complete.push(record + line.slice(begin, at + 1))
        record = ''
        begin = -1
      }
    }
    if (begin >= 0) keep(line.slice(begin), complete)
    return complete
  }

  function keep(text: string, complete: string[]): void {
    record += `${text}\n`
    if (record.length <= RECORD_LENGTH_MAX) return
    complete.push(record.slice(0, RECORD_LENGTH_MAX))
    record = ''
    depth = 0
    inText = false
    escaped = false
  }

  return {
    push(line) {
      if (mode === 'lines') return [line]
      if (mode === 'array') return scan(line, 0)
      const first = line.trimStart()
      if (first === '') return [line]
      mode = first.startsWith('[') ? 'array' : 'lines'
      return mode === 'lines' ? [line] : scan(line, line.indexOf('[') + 1)
    },
    get isArray() {
      return mode === 'array'
    },
    finish: () => (record === '' ? undefined : record),
  }
}
