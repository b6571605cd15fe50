/** What evaluate.ts asks of its worker threads, and what they answer. */

import type { LaterSlice } from '../models/later-slice.ts'
import type { ModelSpec, Objective, TrainOptions } from '../models/model.ts'
import type { LabelledData } from './training-matrix.ts'

/** Train a fresh model on the pooled rows of these organisations. */
export interface TrainTask {
  readonly type: 'train'
  readonly data: readonly LabelledData[]
  /** For each organisation. */
  readonly rowsMax: number
  readonly spec: ModelSpec
  readonly options: TrainOptions
}

export interface TrainedModel {
  readonly parameters: Float32Array
  /** Attack families among the training rows. */
  readonly families: readonly string[]
  readonly rows: number
}

/** Score the rows of one organisation from `trainUntil` on, whose label is known. */
export interface ScoreTask {
  readonly type: 'score'
  readonly directory: string
  readonly trainUntil: number
  /** Families that only other organisations had labels of. */
  readonly othersFamilies: readonly string[]
  readonly spec: ModelSpec
  /** Which head scores. */
  readonly objective: Objective
  /** Parameters by name of scorer. */
  readonly models: Readonly<Record<string, Float32Array>>
}

export interface ScoredSlice extends LaterSlice {
  /** By name of scorer: those of the task, `counter` and `oneBit`. */
  readonly scores: Readonly<Record<string, Float32Array>>
}
