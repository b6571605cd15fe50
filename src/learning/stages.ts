/**
 * The stages between a trained update and a contribution, and the record of which of them really did something. The
 * record of a round follows from its configuration alone, so the hub refuses a contribution that claims anything else
 * and a block can say it once for all participants: nobody may believe that a stage is on which passes through.
 */

import { z } from 'zod'
import { canonicalJson } from '../base/canonical.ts'
import type { TrainingConfig } from './config.ts'
import { clipRecord } from './clipping.ts'
import { privacyRecords } from './privacy-config.ts'
import { sparsifyRecord } from './sparsify.ts'

export const STAGES = ['sanitise', 'clip', 'quantise', 'noise', 'mask', 'encrypt'] as const
/** In records of trainings that ask for it, and in no others: their blocks are as they were. */
const SPARSIFY = 'sparsify'
export type StageName = (typeof STAGES)[number] | typeof SPARSIFY

export const stageRecordSchema = z.strictObject({
  stage: z.enum([...STAGES, SPARSIFY]),
  applied: z.boolean(),
  /** clip: the L2 norm that no update exceeds; null where it is not applied, and for the other stages. */
  norm_max: z.number().nullable(),
  /** quantise and noise: what exactly was done, so that anybody can compute the guarantee. */
  parameters: z
    .record(z.string().max(32), z.union([z.number(), z.string().max(64)]))
    .refine((parameters) => Object.keys(parameters).length <= 8, 'at most 8 parameters')
    .optional(),
})
export type StageRecord = z.infer<typeof stageRecordSchema>

/** What every contribution to a round of this configuration has gone through. */
export function expectedStages(config: TrainingConfig): StageRecord[] {
  const records = privacyRecords(config)
  const sparsified = config.sparsify ? [sparsifyRecord(config.sparsify)] : []
  return STAGES.flatMap((stage): StageRecord[] => {
    if (stage === 'sanitise') return [{ stage, applied: true, norm_max: null }, ...sparsified]
    if (stage === 'clip') return [clipRecord(config)]
    return [records[stage] ?? { stage, applied: false, norm_max: null }]
  })
}

export function sameStages(claimed: readonly StageRecord[], expected: readonly StageRecord[]): boolean {
  return canonicalJson(claimed) === canonicalJson(expected)
}
