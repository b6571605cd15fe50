/**
 * Metrics of a round under the names of the ledger document, sections 5.2 and 9. The privacy figures of those lists are
 * elsewhere: epsilon and delta in the block's `privacy_params`, `privacy_budget_used` as a diagnostic in the round's record
 * (document-budget.ts). The Byzantine ones are there where a robust rule or enough validators looked; `aggregation_quality`
 * is in the round's record (validation.ts), not in the block, which is sealed before anybody but the hub has the model.
 */

import type { RobustReport } from './robust/report.ts'
import type { AcceptedContribution, AggregateResult } from './round-state.ts'

/** `aggregation_metrics` of a block: section 3.5 and 5.2. Norms are L2 over all parameters. */
export interface AggregationMetrics {
  readonly round: number
  readonly num_clients: number
  /** ||w_new - w_old|| / ||w_old||. */
  readonly convergence: number
  readonly norm_difference: number
  readonly gradient_norm: number
  readonly aggregation_latency_ms: number
  readonly [metric: string]: number | string | boolean | readonly number[] | readonly (readonly number[])[]
}

/** Section 9, as far as this version computes it: what the API and `/metrics` show of a finished round. */
export interface FederationMetrics {
  readonly round_number: number
  readonly participating_orgs: number
  readonly aggregation_latency_ms: number
  readonly convergence_rate: number
  readonly norm_difference: number
  readonly gradient_norm: number
  /** A diagnostic, not the epsilon that is accounted for (document-budget.ts); only where noise was added. */
  readonly privacy_budget_used?: number
  /** Only where a robust rule looked, or three validators. */
  readonly byzantine_detection_triggered?: boolean
  /** Median over validators, -1 to 1; only from three validators on. */
  readonly aggregation_quality?: number
  /** Who tried the new model and said how it did; absent before the first. */
  readonly validators?: number
  /** Of them, for whom it became clearly worse. */
  readonly worse?: number | null
}

/**
 * ||w_new - w_old|| / ||w_old||. From a model that is zero everywhere every step is infinitely large, which JSON cannot
 * say: then 0 for no step and 1 for any other.
 */
export function convergenceRate(normDifference: number, baseNorm: number): number {
  if (baseNorm > 0) return normDifference / baseNorm
  return normDifference > 0 ? 1 : 0
}

/** Mean of a self-declared figure, weighted by sample count; undefined unless every contribution declares it. */
export function reportedMean(contributions: readonly AcceptedContribution[], metric: string): number | undefined {
  let sum = 0
  let weight = 0
  for (const { metrics, sampleCount } of contributions) {
    const value = metrics[metric]
    if (value === undefined || !Number.isFinite(value)) return undefined
    sum += sampleCount * value
    weight += sampleCount
  }
  return weight > 0 && Number.isFinite(sum) ? sum / weight : undefined
}

export function aggregationMetrics(
  round: number,
  contributions: readonly AcceptedContribution[],
  result: AggregateResult,
): AggregationMetrics {
  const loss = reportedMean(contributions, 'loss')
  return {
    round,
    num_clients: contributions.length,
    convergence: result.convergence,
    norm_difference: result.normDifference,
    gradient_norm: result.gradientNorm,
    aggregation_latency_ms: result.durationMs,
    ...(loss === undefined ? {} : { reported_loss: loss }),
    ...(result.unclipped === undefined ? {} : { unclipped: result.unclipped }),
    ...(result.robust === undefined ? {} : robustMetrics(result.robust)),
  }
}

/**
 * What the robust rule did. Organisations are named by their position among the block's participants: their names, once
 * more, would not fit into the leaf of the largest round.
 */
function robustMetrics(report: RobustReport) {
  const { rule, buckets } = report
  const common = { robust_rule: rule, byzantine_detection_triggered: isTriggered(report) }
  if (buckets === undefined) return { ...common, ...listsOf(report, 'robust') }
  return { ...common, buckets, ...listsOf(report, 'bucket') }
}

/** Of a bucket that stands out nobody can say which of its organisations does: hence other names. */
function listsOf({ leftOut, clipped, flagged, against }: RobustReport, of: 'robust' | 'bucket') {
  return {
    [`${of}_left_out`]: leftOut,
    [`${of}_clipped`]: clipped,
    [`${of}_flagged`]: flagged,
    ...(against === undefined ? {} : { [`${of}_against`]: against }),
  }
}

const isTriggered = ({ flagged, against = [] }: RobustReport): boolean => flagged.length + against.length > 0

export function federationMetrics(round: number, participants: number, result: AggregateResult): FederationMetrics {
  return {
    round_number: round,
    participating_orgs: participants,
    aggregation_latency_ms: result.durationMs,
    convergence_rate: result.convergence,
    norm_difference: result.normDifference,
    gradient_norm: result.gradientNorm,
    ...(result.robust === undefined ? {} : { byzantine_detection_triggered: isTriggered(result.robust) }),
  }
}
