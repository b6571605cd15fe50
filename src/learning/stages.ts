/**
 * The stages between a trained update and a contribution, and the record of which of them really did something. The
 * record of a round follows from its configuration alone, so the hub refuses a contribution that claims anything else
 * and a block can say it once for all participants: nobody may believe that a stage is on which passes through.
 */

import { z } from 'zod'
import type { TrainingConfig } from './config.ts'

export const STAGES = ['sanitise', 'clip', 'quantise', 'noise', 'mask', 'encrypt'] as const
export type StageName = (typeof STAGES)[number]

export const stageRecordSchema = z.strictObject({
  stage: z.enum(STAGES),
  applied: z.boolean(),
  /** clip: the L2 norm that no update exceeds; null where it is not applied, and for the other stages. */
  norm_max: z.number().nullable(),
})
export type StageRecord = z.infer<typeof stageRecordSchema>

/** What every contribution to a round of this configuration has gone through. */
export function expectedStages(config: TrainingConfig): StageRecord[] {
  return STAGES.map((stage) => {
    if (stage === 'sanitise') return { stage, applied: true, norm_max: null }
    if (stage === 'clip') return { stage, applied: config.clipNorm !== null, norm_max: config.clipNorm }
    return { stage, applied: false, norm_max: null }
  })
}

export function sameStages(claimed: readonly StageRecord[], expected: readonly StageRecord[]): boolean {
  return (
    claimed.length === expected.length &&
    claimed.every((record, i) => {
      const other = expected[i]
      return record.stage === other?.stage && record.applied === other.applied && record.norm_max === other.norm_max
    })
  )
}
