/**
 * What a block says of its participants under a robust rule, as a participant can judge it. Whom the rule flagged is the
 * hub's word: only the hub has the updates, or the sums of buckets, that it follows from. That the lists are of this rule
 * and point at participants of this block can be seen by everybody.
 */

import type { Block } from '../../ledger/block.ts'
import type { RobustConfig } from './config.ts'

type Metrics = Block['aggregation_metrics']

const LISTS = ['left_out', 'clipped', 'flagged', 'against'] as const

/** Whether the report is one that the rule could have made of so many participants. */
export function isReportOf(metrics: Metrics, { rule }: Pick<RobustConfig, 'rule'>, participants: number): boolean {
  const named = metrics['robust_rule']
  if (named !== undefined && (rule === 'none' || named !== rule)) return false
  const buckets: unknown = metrics['buckets']
  if (buckets !== undefined && !arePartsOf(buckets, participants)) return false
  const bucketCount = Array.isArray(buckets) ? buckets.length : 0
  return LISTS.every(
    (list) => isWithin(metrics[`robust_${list}`], participants) && isWithin(metrics[`bucket_${list}`], bucketCount),
  )
}

/** Absent, or positions below `count`, each once. */
function isWithin(positions: unknown, count: number): boolean {
  if (positions === undefined) return true
  if (!Array.isArray(positions) || new Set(positions).size !== positions.length) return false
  return positions.every((at) => Number.isInteger(at) && at >= 0 && at < count)
}

/** Nobody is in two buckets: it would be blamed, or cleared, for both. */
const arePartsOf = (buckets: unknown, participants: number): boolean =>
  Array.isArray(buckets) && buckets.every(Array.isArray) && isWithin(buckets.flat(), participants)
