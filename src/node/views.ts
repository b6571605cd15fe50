/** Records as readers of the API get them. */

import type { RoundRecord } from '../learning/round-record.ts'
import type { trainingRecord } from '../learning/training-moves.ts'

export type TrainingView = ReturnType<typeof trainingRecord>
export type RoundView = RoundRecord
