/** What a budget says to a reader: how much is left, of what, and for whom it holds. */

import { type BudgetState, committed, epsilonUsed, type Limit, type Used } from './budget-state.ts'

export interface Statement {
  /** The limit's epsilon less what is used. Whether a release fits is decided by composing it, which may allow a little more. */
  readonly remaining_epsilon: number
  /** Delta that is not yet taken by what adds to delta directly. */
  readonly remaining_delta: number
  /** Epsilon of everything spent and reserved, composed, at the limit's delta. */
  readonly total_used: number
}

export interface PurposeStatement extends Statement {
  readonly purpose: string
  /** Null: bounded by the data set alone. */
  readonly limit: Limit | null
}

export interface DatasetStatement extends Statement {
  readonly dataset: string
  readonly limit: Limit
  readonly purposes: readonly PurposeStatement[]
}

function statementOf(used: Used, limit: Limit): Statement {
  const epsilon = epsilonUsed(used, limit)
  return {
    remaining_epsilon: Math.max(0, limit.epsilon - epsilon),
    remaining_delta: Math.max(0, limit.delta - used.delta),
    total_used: epsilon,
  }
}

/** One entry for each data set that has a limit, by name. */
export function statements(state: BudgetState): DatasetStatement[] {
  return Object.entries(state.accounts)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([dataset, { limit, purposes }]) => ({
      dataset,
      limit,
      ...statementOf(committed(state, dataset, null), limit),
      purposes: purposesOf(state, dataset, limit, purposes),
    }))
}

function purposesOf(
  state: BudgetState,
  dataset: string,
  whole: Limit,
  purposes: Readonly<Record<string, { readonly limit: Limit | null }>>,
): PurposeStatement[] {
  const reserved = Object.values(state.reserved).filter((claim) => claim.dataset === dataset)
  const names = new Set([...Object.keys(purposes), ...reserved.map(({ purpose }) => purpose)])
  const left = statementOf(committed(state, dataset, null), whole)
  return [...names].toSorted().map((purpose) => {
    const limit = Object.hasOwn(purposes, purpose) ? (purposes[purpose]?.limit ?? null) : null
    return { purpose, limit, ...within(left, statementOf(committed(state, dataset, purpose), limit ?? whole)) }
  })
}

/** What other purposes took of the data set is not left for this one. */
function within(left: Statement, part: Statement): Statement {
  return {
    ...part,
    remaining_epsilon: Math.min(left.remaining_epsilon, part.remaining_epsilon),
    remaining_delta: Math.min(left.remaining_delta, part.remaining_delta),
  }
}
