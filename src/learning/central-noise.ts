/**
 * Noise that the hub adds to the sum of a round (central differential privacy). The least noise of all: the sum has that of one
 * organisation. The adversary is everybody but the hub, who reads models and the ledger; the hub sees sums without noise, and
 * that it adds any is its word.
 */

import type { MaskedSum } from './round-state.ts'
import { CENTRAL_MECHANISM } from './mechanisms.ts'
import { requireOwnGrid, type SharingAsked } from './shared-noise.ts'
import type { StageRecord } from './stages.ts'

/** Why the hub cannot add the noise in such a training; undefined if it can. */
export function centralProblem({
  protection,
  robust,
}: Pick<SharingAsked, 'protection' | 'robust'>): string | undefined {
  if (protection !== 'secagg')
    return `noise is added to the sum of secure aggregation, which protection "${protection}" does not leave to the hub: it takes "secagg"`
  if (robust.rule !== 'none')
    return `how far one update moves what the rule ${robust.rule} takes for the mean is not bounded by the clip: noise can be added to a mean only`
  return undefined
}

/**
 * The records of a round's stages at the hub, where the noise is what was really added to the sum: nothing if nothing was, and
 * then no participant signs the block.
 */
export function withAddedNoise(stages: readonly StageRecord[], added: MaskedSum['noise']): StageRecord[] {
  return stages.map((record) => {
    if (record.stage !== 'noise' || record.parameters?.['mechanism'] !== CENTRAL_MECHANISM) return record
    return added === undefined
      ? { stage: 'noise', applied: false, norm_max: null }
      : { ...record, parameters: { ...added } }
  })
}

/** Against whom the guarantee holds; null where there was no sum to add noise to. @throws invalid-request */
export function againstAllButHub(stages: readonly StageRecord[]): 'all-but-hub' | null {
  if (!stages.some(({ stage, applied }) => stage === 'mask' && applied)) return null
  requireOwnGrid(stages)
  return 'all-but-hub'
}
