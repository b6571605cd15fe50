/** What a privacy budget has granted: accounts, costs as Renyi curves, and what of each is taken. */

import { fail } from '../../base/errors.ts'
import { type Cost, curveOf } from './cost.ts'
import { composeCurves, epsilonOfCurve, RDP_ORDERS } from './rdp.ts'

export interface Limit {
  readonly epsilon: number
  readonly delta: number
}

export interface Used {
  /** Renyi curve at RDP_ORDERS. */
  readonly curve: readonly number[]
  readonly delta: number
}

export interface Account {
  readonly limit: Limit
  readonly used: Used
  readonly purposes: Readonly<Record<string, { readonly limit: Limit | null; readonly used: Used }>>
}

export interface Claim {
  readonly dataset: string
  readonly purpose: string
  readonly cost: Cost
}

export interface BudgetState {
  readonly accounts: Readonly<Record<string, Account>>
  /** By id: counted as used, and given back only by `release`. */
  readonly reserved: Readonly<Record<string, Claim>>
  /** The latest ids that were spent, oldest first: a late repetition of one costs nothing. */
  readonly spent: readonly string[]
}

export const NOTHING_USED: Used = { curve: RDP_ORDERS.map(() => 0), delta: 0 }

/** @throws invalid-request */
export function plus(used: Used, cost: Cost): Used {
  if (!(cost.delta >= 0 && cost.delta < 1)) fail('invalid-request', 'the delta of a cost is in [0, 1)')
  return { curve: composeCurves([used.curve, curveOf(cost)]), delta: used.delta + cost.delta }
}

/** Epsilon of what was used, at the delta that the limit leaves for it. */
export function epsilonUsed({ curve, delta }: Used, limit: Limit): number {
  return epsilonOfCurve(curve, limit.delta - delta)
}

export const within = (used: Used, limit: Limit): boolean =>
  used.delta < limit.delta && epsilonUsed(used, limit) <= limit.epsilon

/** Names come from configurations: one like `constructor` is no account that was never opened. */
export const own = <T>(of: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(of, name) ? of[name] : undefined

/** Names become keys of objects and of records. */
export function requireNames(...names: string[]): void {
  for (const name of names)
    if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(name)) fail('invalid-request', `"${name}" cannot name a data set or purpose`)
}

/** What was spent and what is reserved, of a data set or of one of its purposes. */
export function committed(state: BudgetState, dataset: string, purpose: string | null): Used {
  const account = own(state.accounts, dataset)
  const spent = purpose === null ? account?.used : account && own(account.purposes, purpose)?.used
  return Object.values(state.reserved)
    .filter((claim) => claim.dataset === dataset && (purpose === null || claim.purpose === purpose))
    .reduce((used, { cost }) => plus(used, cost), spent ?? NOTHING_USED)
}

export function without<T>(of: Readonly<Record<string, T>>, name: string): Record<string, T> {
  return Object.fromEntries(Object.entries(of).filter(([key]) => key !== name))
}
