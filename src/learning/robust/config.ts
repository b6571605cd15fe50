/** How a training withstands organisations that lie: `robust` of its configuration. */

import { z } from 'zod'

export const ROBUST_RULES = [
  'none',
  'median',
  'trimmed-mean',
  'krum',
  'multi-krum',
  'bulyan',
  'geometric-median',
  'centered-clipping',
  'norm-bound',
] as const
export type RobustRuleName = (typeof ROBUST_RULES)[number]

const positive = z.number().positive().max(1e6)

/** The fields are the same for all rules; each looks at those that its own file names. */
export const robustConfigSchema = z.strictObject({
  rule: z.enum(ROBUST_RULES).default('none'),
  /** Organisations that may lie, together or alone. */
  f: z.int().min(0).max(74).default(1),
  /** Before the rule: nearest-neighbour mixing (Allouah et al. 2023) or buckets (Karimireddy et al. 2022). */
  mixing: z.enum(['none', 'nearest-neighbours', 'buckets']).default('none'),
  /** Organisations in a bucket. */
  bucketSize: z.int().min(2).max(50).default(2),
  /** Krum: neighbours that count. Blanchard et al. 2017 take n - f - 2; ByzFL takes n - f - 1. */
  neighbours: z.enum(['n-f-2', 'n-f-1']).default('n-f-2'),
  /** Norm bound: the longest update; null = the median of the lengths of this round. */
  normMax: positive.nullable().default(null),
  /** Centered clipping: tau; null = the median distance from the centre, at each step. */
  radius: positive.nullable().default(null),
  /** Steps of the geometric median and of centered clipping. */
  iterations: z.int().min(1).max(1000).default(32),
})
export type RobustConfig = z.infer<typeof robustConfigSchema>

/** Fewest vectors among which a rule withstands f. */
const NEEDS: Readonly<Record<RobustRuleName, (f: number) => number>> = {
  'none': () => 1,
  'norm-bound': () => 1,
  'median': (f) => 2 * f + 1,
  'trimmed-mean': (f) => 2 * f + 1,
  'geometric-median': (f) => 2 * f + 1,
  'centered-clipping': (f) => 2 * f + 1,
  'krum': (f) => 2 * f + 3,
  'multi-krum': (f) => 2 * f + 3,
  'bulyan': (f) => 4 * f + 3,
}

/** Fewest vectors, whatever they are, among which a rule withstands f that are false. */
export function vectorsMin(rule: RobustRuleName, f: number): number {
  return NEEDS[rule](f)
}

/** Fewest organisations that a round needs, so that the rule holds what it promises. */
export function organisationsMin({ rule, f, mixing, bucketSize }: RobustConfig): number {
  const needed = NEEDS[rule](f)
  if (mixing === 'buckets') return (needed - 1) * bucketSize + 1
  return mixing === 'nearest-neighbours' ? Math.max(needed, 2 * f + 1) : needed
}

/** Why a round of so many organisations cannot be aggregated so, with what to do; undefined if it can. */
export function robustProblem(config: RobustConfig, organisations: number): string | undefined {
  if (config.rule === 'none')
    return config.mixing === 'none' ? undefined : 'robust.mixing needs a robust.rule that looks at what was mixed'
  const needed = organisationsMin(config)
  if (organisations >= needed) return undefined
  const others = (['geometric-median', 'trimmed-mean'] as const).filter(
    (rule) => rule !== config.rule && organisations >= NEEDS[rule](config.f) && config.mixing === 'none',
  )
  const other = others[0] === undefined ? '' : `, or take ${others[0]}, which needs ${NEEDS[others[0]](config.f)}`
  return `${config.rule} against ${config.f} needs rounds of at least ${needed} organisations, and round.participantsMin is ${organisations}: raise it, lower robust.f${other}`
}
