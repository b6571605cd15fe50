/** What is set against the attacks: each rule as it is, after nearest-neighbour mixing, and over buckets. */

import {
  ROBUST_RULES,
  type RobustConfig,
  robustConfigSchema,
  type RobustRuleName,
  robustProblem,
} from '../../src/learning/robust/config.ts'

export interface Arm {
  readonly name: string
  /** Against so many liars among so many organisations; null where the rule is refused. */
  config(liars: number, organisations: number): RobustConfig | null
}

type Mixing = Pick<RobustConfig, 'mixing'> & Partial<Pick<RobustConfig, 'bucketSize'>>

/** Sizes of buckets: what secure aggregation would leave to see. */
const MIXINGS: readonly (readonly [string, Mixing])[] = [
  ['', { mixing: 'none' }],
  ['neighbours, ', { mixing: 'nearest-neighbours' }],
  ['buckets of 2, ', { mixing: 'buckets', bucketSize: 2 }],
  ['buckets of 3, ', { mixing: 'buckets', bucketSize: 3 }],
]

const RULES = ROBUST_RULES.filter((rule) => rule !== 'none')

/** The first is the mean. */
export const ARMS: readonly Arm[] = [
  { name: 'mean', config: () => robustConfigSchema.parse({ rule: 'none' }) },
  ...MIXINGS.flatMap(([label, mixing]) =>
    RULES.map((rule) => ({
      name: `${label}${rule}`,
      config: (liars: number, organisations: number) => configOf(rule, mixing, liars, organisations),
    })),
  ),
]

/**
 * A rule over buckets may withstand fewer liars than there are: then it is told the most that it can, and left to fail. Of a
 * rule without buckets that would be something else than the product does: it refuses.
 */
function configOf(rule: RobustRuleName, mixing: Mixing, liars: number, organisations: number): RobustConfig | null {
  const least = mixing.mixing === 'buckets' ? Math.min(1, liars) : liars
  for (let f = liars; f >= least; f--) {
    const config = robustConfigSchema.parse({ rule, f, ...mixing })
    if (robustProblem(config, organisations) === undefined) return config
  }
  return null
}
