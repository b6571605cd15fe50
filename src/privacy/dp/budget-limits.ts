/** The limits of a privacy budget: how an administrator sets them, and whether a cost fits into them. */

import { fail } from '../../base/errors.ts'
import {
  type Account,
  type BudgetState,
  type Claim,
  committed,
  epsilonUsed,
  type Limit,
  NOTHING_USED,
  own,
  plus,
  requireNames,
  type Used,
  within,
  without,
} from './budget-state.ts'
import type { Cost } from './cost.ts'

/** Of a data set, without those that have limits: the hub names purposes, and the state may not grow with every name. */
export const PURPOSES_MAX = 64

/**
 * `purpose` null = of the whole data set; `limit` null = the purpose is bounded by that alone. The administrator's decision;
 * recorded, whichever way it goes.
 */
export interface LimitSet {
  readonly type: 'limit-set'
  readonly dataset: string
  readonly purpose: string | null
  readonly limit: Limit | null
  readonly at: number
}

/** @throws invalid-request */
export function setLimit(state: BudgetState, event: LimitSet): BudgetState {
  const { dataset, purpose, limit } = event
  requireNames(dataset, purpose ?? 'all')
  if (limit !== null) requireLimit(limit)
  const held = own(state.accounts, dataset)
  if (purpose === null) {
    if (limit === null) fail('invalid-request', 'a data set cannot be without a limit')
    return putAccount(state, dataset, { used: NOTHING_USED, purposes: {}, ...held, limit })
  }
  if (held === undefined) fail('invalid-request', `there is no limit for the data set "${dataset}" yet`)
  const used = own(held.purposes, purpose)?.used ?? NOTHING_USED
  const purposes = without(held.purposes, purpose)
  // A purpose without a limit that took nothing is as if it had never been named.
  if (limit === null && isNothing(used)) return putAccount(state, dataset, { ...held, purposes })
  return putAccount(state, dataset, {
    ...held,
    purposes: { ...purposes, [purpose]: { limit, used } },
  })
}

const isNothing = ({ curve, delta }: Used): boolean => delta === 0 && curve.every((value) => value === 0)

function requireLimit({ epsilon, delta }: Limit): void {
  if (!(epsilon > 0 && epsilon < 1000) || !(delta > 0 && delta < 1))
    fail('invalid-request', 'a limit has epsilon in (0, 1000) and delta in (0, 1)')
}

function putAccount(state: BudgetState, dataset: string, account: Account): BudgetState {
  return { ...state, accounts: { ...state.accounts, [dataset]: account } }
}

/** @throws budget-exceeded, with what is left and what it would take */
export function requireRoom(state: BudgetState, { dataset, purpose, cost }: Claim): void {
  const account = own(state.accounts, dataset)
  if (account === undefined)
    fail('budget-exceeded', `there is no privacy budget for the data set "${dataset}"`, { dataset })
  const whole = { name: `the data set "${dataset}"`, key: 'privacyBudget', limit: account.limit }
  const limits = [
    // The narrower limit first: its message names what the administrator would have to change.
    ...purposeLimit(state, account, dataset, purpose),
    { ...whole, used: committed(state, dataset, null) },
  ]
  for (const limited of limits) requireWithin(limited, cost)
  requireRoomFor(state, account, dataset, purpose)
}

function purposeLimit(state: BudgetState, account: Account, dataset: string, purpose: string) {
  const limit = own(account.purposes, purpose)?.limit ?? null
  return limit === null
    ? []
    : [
        {
          name: `the purpose "${purpose}"`,
          key: `privacyBudget.purposes.${purpose}`,
          limit,
          used: committed(state, dataset, purpose),
        },
      ]
}

function requireRoomFor(state: BudgetState, account: Account, dataset: string, purpose: string): void {
  const { purposes } = account
  const unlimited = Object.keys(purposes).filter((name) => purposes[name]?.limit === null)
  const reserved = Object.values(state.reserved).filter((claim) => claim.dataset === dataset)
  const names = new Set([...unlimited, ...reserved.map((claim) => claim.purpose)])
  if (names.has(purpose) || Object.hasOwn(purposes, purpose) || names.size < PURPOSES_MAX) return
  fail(
    'budget-exceeded',
    `the data set "${dataset}" has served ${PURPOSES_MAX} purposes: "${purpose}" needs a limit of its own, privacyBudget.purposes.${purpose}`,
    { dataset, purpose },
  )
}

interface Limited {
  readonly name: string
  /** Of the configuration. */
  readonly key: string
  readonly limit: Limit
  readonly used: Used
}

function requireWithin({ name, key, limit, used }: Limited, cost: Cost): void {
  const after = plus(used, cost)
  if (within(after, limit)) return
  const needed = epsilonUsed(after, limit)
  fail(
    'budget-exceeded',
    `the privacy budget of ${name} is epsilon ${limit.epsilon} at delta ${limit.delta}; with this it would be ${needed.toPrecision(4)}: ask for less, or have ${key} raised`,
    { epsilon: limit.epsilon, delta: limit.delta, used: finite(epsilonUsed(used, limit)), needed: finite(needed) },
  )
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null)
