/**
 * `entente demo --attack signflip:1`: organisations of the demo that lie. The product cannot be switched to attack: the
 * demo starts such an organisation from another program (apps/demo-attacker.ts), which refuses any federation but a demo's.
 */

import { fail } from '../../../src/base/errors.ts'
import type { OrganisationId } from '../../../src/base/ids.ts'
import type { Protection } from '../../../src/learning/masking-config.ts'
import { type RobustConfig, robustConfigSchema } from '../../../src/learning/robust/config.ts'
import { reputationsAfter } from '../../../src/learning/robust/reputation.ts'
import type { Block } from '../../../src/ledger/block.ts'
import type { AttackSummary, OrganisationSummary } from './report.ts'

export interface DemoAttack {
  readonly kind: 'signflip'
  /** Organisations that lie. */
  readonly liars: number
}

/** @throws config-invalid */
export function parseAttack(text: string): DemoAttack {
  const [kind, count = '1', ...rest] = text.split(':')
  const liars = Number(count)
  if (kind !== 'signflip' || rest.length > 0 || !/^\d{1,2}$/.test(count) || liars < 1)
    fail('config-invalid', `--attack takes signflip:N, N organisations that lie, not "${text}"`)
  return { kind, liars }
}

/** The last of those that learn: who is first in the tables is honest. @throws config-invalid where nobody honest is left */
export function liarsAmong(
  orgs: readonly OrganisationSummary[],
  attack: DemoAttack | undefined,
): readonly OrganisationSummary[] {
  if (attack === undefined) return []
  const learners = orgs.filter(({ learns }) => learns)
  if (learners.length <= attack.liars)
    fail(
      'config-invalid',
      `--attack ${attack.kind}:${attack.liars} leaves nobody honest among ${learners.length} that learn`,
    )
  return learners.slice(-attack.liars)
}

/** What the demo sets against an attack unless told otherwise: over buckets the rule that needs the fewest. */
export function defenceAgainst({ liars }: DemoAttack, protect: Protection = 'plain'): RobustConfig {
  return robustConfigSchema.parse({ rule: protect === 'plain' ? 'multi-krum' : 'median', f: liars })
}

/** What the sealed blocks say about the liars: everybody who holds the ledger can say the same. */
export function containment(blocks: readonly Block[], { kind }: DemoAttack, liars: ReadonlySet<string>): AttackSummary {
  const rounds = blocks.filter(({ provenance }) => provenance.participants.length > 0)
  const counts = { lies: 0, flagged: 0, leftOut: 0, falseFlags: 0 }
  for (const { aggregation_metrics: metrics, provenance } of rounds)
    for (const [position, { org_id }] of provenance.participants.entries()) {
      const isFlagged = Math.max(named(metrics, 'flagged', position), named(metrics, 'against', position))
      if (!liars.has(org_id)) counts.falseFlags += isFlagged
      else {
        counts.lies++
        counts.flagged += isFlagged
        counts.leftOut += named(metrics, 'left_out', position)
      }
    }
  const rule = rounds.at(-1)?.aggregation_metrics['robust_rule']
  const reputations = [...reputationsAfter(rounds)].map(([name, { score }]): [OrganisationId, number] => [name, score])
  return {
    kind,
    organisations: [...liars].toSorted(),
    rule: typeof rule === 'string' ? rule : null,
    rounds: rounds.length,
    ...counts,
    reputations: Object.fromEntries(reputations),
  }
}

/** 1 if a block names this participant, or the bucket that it hides in. */
function named(metrics: Block['aggregation_metrics'], list: string, position: number): number {
  const buckets = metrics['buckets'] as readonly (readonly number[])[] | undefined
  const at = buckets === undefined ? position : buckets.findIndex((bucket) => bucket.includes(position))
  const positions: unknown = metrics[`${buckets === undefined ? 'robust' : 'bucket'}_${list}`]
  return Array.isArray(positions) && positions.includes(at) ? 1 : 0
}
