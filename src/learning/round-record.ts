/** What readers (API, command line, metrics) see of a round: the record `round/<roundId>`. */

import { releasesBy, stagesOf } from './block-content.ts'
import { type FederationMetrics, federationMetrics } from './convergence.ts'
import { documentBudgetUsed } from './document-budget.ts'
import type { AggregateResult, OpenedRound } from './round-state.ts'
import { spoiltIn } from './spoilt.ts'

export interface RoundRecord {
  readonly round_id: string
  readonly training_id: string
  readonly round: number
  readonly phase: OpenedRound['phase']
  readonly base_model: string
  readonly opened_at: number
  readonly deadline: number
  readonly ended_at: number | null
  readonly participants: readonly string[]
  readonly submitted: readonly string[]
  readonly left: readonly string[]
  readonly reason: string | null
  readonly detail: string | null
  readonly model: string | null
  readonly height: number | null
  readonly metrics: FederationMetrics | null
  /** Who dealt or revealed false shares, or opened falsely; absent where nobody is named. */
  readonly blamed?: readonly string[]
  /** One of each pair did, and which cannot be told; absent where there is none. */
  readonly disputed?: readonly { readonly dealer: string; readonly holder: string }[]
}

export function roundRecord(state: OpenedRound): RoundRecord {
  const result = 'aggregate' in state ? state.aggregate : undefined
  return {
    round_id: state.roundId,
    training_id: state.trainingId,
    round: state.round,
    phase: state.phase,
    base_model: state.baseModel,
    opened_at: state.openedAt,
    deadline: state.deadline,
    ended_at: 'endedAt' in state ? state.endedAt : null,
    participants: state.participants.map(({ organisation }) => organisation),
    submitted: (state.joined ?? state.contributions).map(({ organisation }) => organisation),
    left: state.left,
    reason: state.phase === 'abandoned' ? state.reason : null,
    detail: state.phase === 'abandoned' ? state.detail : null,
    model: result?.model ?? null,
    height: 'block' in state ? state.block.height : null,
    metrics: result === undefined ? null : metricsOf(state, result),
    ...spoiltIn(state),
  }
}

function metricsOf(state: OpenedRound, result: AggregateResult): FederationMetrics {
  const used = documentBudgetUsed(stagesOf(state), releasesBy(state.round, state.config))
  return {
    ...federationMetrics(state.round, state.contributions.length, result),
    ...(used === undefined ? {} : { privacy_budget_used: used }),
  }
}
