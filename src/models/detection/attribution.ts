/**
 * What carried a score, by occlusion (Zeiler and Fergus 2014, section 4; Robnik-Sikonja and Kononenko 2008 for tables):
 * each part of the row in turn is set to what is usual, and the fall of the score is that part's share. It asks nothing of
 * a model but scores, and depends on nothing but model, row and usual row. Shares of parts that say the same add up to
 * less than the whole; they are no probabilities and no causes.
 */

import { fail } from '../../base/errors.ts'

/** Columns that are switched off together. */
export interface RowPart {
  readonly name: string
  readonly columns: readonly number[]
}

export interface PartShare {
  readonly part: RowPart
  /** Score of the row less its score without the part: positive = it made the score higher. */
  readonly share: number
}

export interface Attribution {
  readonly score: number
  /** Score of a row in which everything is usual. */
  readonly usualScore: number
  /** Largest first; equal shares in the order of the parts. */
  readonly shares: readonly PartShare[]
}

export type Scorer = (features: Float32Array, rows: number) => Float32Array

/** Rows that are scored in one go. */
const BATCH_ROWS = 512

/** Explains rows of this width by these parts. @throws wrong-shape if a part has a column that the row lacks */
export function createAttribution(width: number, parts: readonly RowPart[], score: Scorer) {
  if (parts.some(({ columns }) => columns.some((column) => !(column >= 0 && column < width))))
    fail('wrong-shape', `a part names a column outside the ${width} of a row`)
  const batch = new Float32Array(Math.min(BATCH_ROWS, parts.length + 2) * width)
  const batchRows = batch.length / width

  /** Scores of the row as it is, of the usual row, and of the row without each part. */
  function variants(row: Float32Array, usual: Float32Array): Float32Array {
    const scores = new Float32Array(parts.length + 2)
    for (let from = 0; from < scores.length; from += batchRows) {
      const count = Math.min(batchRows, scores.length - from)
      for (let i = 0; i < count; i++) {
        batch.set(from + i === 1 ? usual : row, i * width)
        for (const column of parts[from + i - 2]?.columns ?? []) batch[i * width + column] = usual[column] as number
      }
      scores.set(score(batch, count).subarray(0, count), from)
    }
    return scores
  }

  return (row: Float32Array, usual: Float32Array): Attribution => {
    if (row.length !== width || usual.length !== width) fail('wrong-shape', `a row to explain has ${width} values`)
    const scores = variants(row, usual)
    const [whole = 0, usualScore = 0] = scores
    const shares = parts.map((part, i) => ({ part, share: whole - (scores[i + 2] as number) }))
    return { score: whole, usualScore, shares: shares.sort((a, b) => b.share - a.share) }
  }
}

/** The mean of the rows so far: what is usual where the model runs. */
export class UsualRow {
  private readonly sums: Float64Array
  private rows = 0

  constructor(width: number) {
    this.sums = new Float64Array(width)
  }

  add(features: Float32Array, offset: number): void {
    const { sums } = this
    for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] as number) + (features[offset + i] as number)
    this.rows++
  }

  /** Zeros before the first row. */
  mean(): Float32Array {
    return Float32Array.from(this.sums, (sum) => (this.rows === 0 ? 0 : sum / this.rows))
  }
}
