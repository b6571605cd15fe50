/** NSL-KDD: 41 columns of a connection and its label, three of them names; the official split. */

import { readLines } from '../../../src/node/ingest/lines.ts'

export interface Records {
  readonly rows: number
  /** The 38 numbers of each record, row-major. */
  readonly numbers: Float32Array
  /** Protocol, service and flag of each. */
  readonly names: readonly (readonly [string, string, string])[]
  /** 1 = an attack. */
  readonly labels: Uint8Array
}

const NAMED = [1, 2, 3]
export const NUMBERS = 38

/** The training file has a heading and a label of two words; the test files name the attack and its difficulty. */
export async function readRecords(path: string): Promise<Records> {
  const numbers: number[] = []
  const names: [string, string, string][] = []
  const labels: number[] = []
  for await (const { lines } of readLines(path))
    for (const line of lines) {
      const fields = line.split(',')
      if (fields.length < 42 || fields[0] === 'duration') continue
      for (let i = 0; i < 41; i++) if (!NAMED.includes(i)) numbers.push(Number(fields[i]))
      names.push([fields[1] ?? '', fields[2] ?? '', fields[3] ?? ''])
      labels.push(fields[41] === 'normal' ? 0 : 1)
    }
  return { rows: labels.length, numbers: Float32Array.from(numbers), names, labels: Uint8Array.from(labels) }
}

/** What turns a record into a row: names seen in training as one-hot columns, numbers scaled by those of training. */
export interface Encoder {
  readonly width: number
  encode(records: Records): Float32Array
}

/** Columns of bytes and counts span nine decades: log(1 + x), then mean 0 and deviation 1 over the training records. */
export function fitEncoder(training: Records): Encoder {
  const columns = [0, 1, 2].map((c) => [...new Set(training.names.map((of) => of[c] ?? ''))].toSorted())
  const width = NUMBERS + columns.reduce((sum, { length }) => sum + length, 0)
  const places = columns.map((known, c) => {
    const from = NUMBERS + columns.slice(0, c).reduce((sum, { length }) => sum + length, 0)
    return new Map(known.map((name, i) => [name, from + i]))
  })
  const { mean, deviation } = moments(training)

  function encode({ rows, numbers, names }: Records): Float32Array {
    const out = new Float32Array(rows * width)
    for (let row = 0; row < rows; row++) {
      for (let i = 0; i < NUMBERS; i++) {
        const value = (Math.log1p(numbers[row * NUMBERS + i] ?? 0) - (mean[i] ?? 0)) / (deviation[i] ?? 1)
        out[row * width + i] = Math.max(-5, Math.min(5, value))
      }
      places.forEach((known, c) => {
        const at = known.get(names[row]?.[c] ?? '')
        if (at !== undefined) out[row * width + at] = 1
      })
    }
    return out
  }

  return { width, encode }
}

function moments({ rows, numbers }: Records): { mean: number[]; deviation: number[] } {
  const columns = Array.from({ length: NUMBERS }, (_, i) => i)
  const sumOf = (i: number, of: (value: number) => number): number => {
    let sum = 0
    for (let row = 0; row < rows; row++) sum += of(Math.log1p(numbers[row * NUMBERS + i] ?? 0))
    return sum
  }
  const mean = columns.map((i) => sumOf(i, (value) => value) / rows)
  // A column that never changes stays zero.
  const deviation = columns.map((i) => Math.sqrt(sumOf(i, (value) => (value - (mean[i] ?? 0)) ** 2) / rows) || 1)
  return { mean, deviation }
}
