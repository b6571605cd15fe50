/** The rules by name. */

import type { RobustConfig, RobustRuleName } from '../config.ts'
import type { RobustRule } from '../rule.ts'
import { bulyan } from './bulyan.ts'
import { centeredClipping, geometricMedian, normBound } from './centres.ts'
import { median, trimmedMean } from './coordinates.ts'
import { krum, multiKrum } from './krum.ts'

export const RULES: Readonly<Record<Exclude<RobustRuleName, 'none'>, RobustRule>> = {
  median,
  'trimmed-mean': trimmedMean,
  krum,
  'multi-krum': multiKrum,
  bulyan,
  'geometric-median': geometricMedian,
  'centered-clipping': centeredClipping,
  'norm-bound': normBound,
}

/** Whether the updates have to be read once more, before, for their distances. */
export function usesDistances({ rule }: RobustConfig): boolean {
  return rule !== 'none' && RULES[rule].usesDistances
}
