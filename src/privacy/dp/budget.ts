/**
 * The privacy budget of one organisation, stream `privacy-budget`. An account for each data set, with a part for each
 * purpose; what different models take from one data set adds up, as Renyi curves, in both.
 *
 *   limit-set -> reserve -> spend | release
 *
 * B1  spent and reserved together never exceed the limit that held when the last of them was reserved, neither of the
 *     data set nor of the purpose (P4); a lower limit refuses what is new and takes back nothing
 * B2  nothing is given back once it was spent, and nothing comes back with time: `at` is recorded and never looked at
 * B3  an id costs once, however often it comes; the same id for something else is refused
 */

import { fail } from '../../base/errors.ts'
import type { Machine, RecordWrite, Step } from '../../base/machine.ts'
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

interface Account {
  readonly limit: Limit
  readonly used: Used
  readonly purposes: Readonly<Record<string, { readonly limit: Limit | null; readonly used: Used }>>
}

interface Claim {
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

export type BudgetEvent =
  /** `purpose` null = of the whole data set. The administrator's decision; recorded, whichever way it goes. */
  | {
      readonly type: 'limit-set'
      readonly dataset: string
      readonly purpose: string | null
      readonly limit: Limit
      readonly at: number
    }
  | ({ readonly type: 'reserve'; readonly id: string; readonly at: number } & Claim)
  /** Before anything is released. */
  | { readonly type: 'spend'; readonly id: string; readonly at: number }
  /** Nothing was released under this id, and nothing will be. */
  | { readonly type: 'release'; readonly id: string; readonly at: number }

export type BudgetStep = Step<BudgetState, never>

/** Ids remembered; drive remembers all of them, this is for the machine on its own. */
const SPENT_KEPT = 1024
/** The collection of records of what was spent, for the organisation's own auditors. */
export const SPENDING = 'privacy-spending'

export const NOTHING_USED: Used = { curve: RDP_ORDERS.map(() => 0), delta: 0 }

export const budgetMachine: Machine<BudgetState, BudgetEvent, never> = {
  kind: 'privacy-budget',
  initial: () => ({ accounts: {}, reserved: {}, spent: [] }),
  step(state, event) {
    switch (event.type) {
      case 'limit-set':
        return setLimit(state, event)
      case 'reserve':
        return reserve(state, event)
      case 'spend':
        return spend(state, event)
      case 'release':
        return release(state, event.id)
    }
  },
}

function plus(used: Used, cost: Cost): Used {
  if (!(cost.delta >= 0 && cost.delta < 1)) fail('invalid-request', 'the delta of a cost is in [0, 1)')
  return { curve: composeCurves([used.curve, curveOf(cost)]), delta: used.delta + cost.delta }
}

/** Epsilon of what was used, at the delta that the limit leaves for it. */
export function epsilonUsed({ curve, delta }: Used, limit: Limit): number {
  return epsilonOfCurve(curve, limit.delta - delta)
}

const within = (used: Used, limit: Limit): boolean =>
  used.delta < limit.delta && epsilonUsed(used, limit) <= limit.epsilon

/** Names come from configurations: one like `constructor` is no account that was never opened. */
const own = <T>(of: Readonly<Record<string, T>>, name: string): T | undefined =>
  Object.hasOwn(of, name) ? of[name] : undefined

function setLimit(state: BudgetState, event: Extract<BudgetEvent, { type: 'limit-set' }>): BudgetStep {
  const { dataset, purpose, limit } = event
  requireNames(dataset, purpose ?? 'all')
  if (!(limit.epsilon > 0 && limit.epsilon < 1000) || !(limit.delta > 0 && limit.delta < 1))
    fail('invalid-request', 'a limit has epsilon in (0, 1000) and delta in (0, 1)')
  const held = own(state.accounts, dataset)
  if (purpose === null) return putAccount(state, dataset, { used: NOTHING_USED, purposes: {}, ...held, limit })
  if (held === undefined) fail('invalid-request', `there is no limit for the data set "${dataset}" yet`)
  const used = own(held.purposes, purpose)?.used ?? NOTHING_USED
  return putAccount(state, dataset, { ...held, purposes: { ...held.purposes, [purpose]: { limit, used } } })
}

/** Names become keys of objects and of records. */
function requireNames(...names: string[]): void {
  for (const name of names)
    if (!/^[a-z0-9][a-z0-9-]{0,62}$/.test(name)) fail('invalid-request', `"${name}" cannot name a data set or purpose`)
}

function putAccount(state: BudgetState, dataset: string, account: Account): BudgetStep {
  return { state: { ...state, accounts: { ...state.accounts, [dataset]: account } }, effects: [] }
}

const sameClaim = (a: Claim, b: Claim): boolean =>
  a.dataset === b.dataset &&
  a.purpose === b.purpose &&
  JSON.stringify(curveOf(a.cost)) === JSON.stringify(curveOf(b.cost))

function reserve(state: BudgetState, event: Extract<BudgetEvent, { type: 'reserve' }>): BudgetStep {
  const { id, dataset, purpose, cost } = event
  requireNames(dataset, purpose)
  if (state.spent.includes(id)) return { state, effects: [] }
  const before = own(state.reserved, id)
  if (before !== undefined) {
    if (!sameClaim(before, event)) fail('invalid-request', `"${id}" is reserved for something else`)
    return { state, effects: [] }
  }
  const account = own(state.accounts, dataset)
  if (account === undefined)
    fail('budget-exceeded', `there is no privacy budget for the data set "${dataset}"`, { dataset })
  const limits = [
    { name: `the data set "${dataset}"`, limit: account.limit, used: committed(state, dataset, null) },
    ...purposeLimit(state, account, dataset, purpose),
  ]
  for (const { name, limit, used } of limits) requireWithin(name, limit, used, cost)
  const claim: Claim = { dataset, purpose, cost }
  return { state: { ...state, reserved: { ...state.reserved, [id]: claim } }, effects: [] }
}

function purposeLimit(state: BudgetState, account: Account, dataset: string, purpose: string) {
  const limit = own(account.purposes, purpose)?.limit ?? null
  return limit === null
    ? []
    : [{ name: `the purpose "${purpose}" of "${dataset}"`, limit, used: committed(state, dataset, purpose) }]
}

function requireWithin(name: string, limit: Limit, used: Used, cost: Cost): void {
  const after = plus(used, cost)
  if (within(after, limit)) return
  const needed = epsilonUsed(after, limit)
  fail(
    'budget-exceeded',
    `the privacy budget of ${name} is epsilon ${limit.epsilon} at delta ${limit.delta}; with this it would be ${needed.toPrecision(4)}`,
    { epsilon: limit.epsilon, delta: limit.delta, used: finite(epsilonUsed(used, limit)), needed: finite(needed) },
  )
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null)

/** What was spent and what is reserved, of a data set or of one of its purposes. */
export function committed(state: BudgetState, dataset: string, purpose: string | null): Used {
  const account = own(state.accounts, dataset)
  const spent = purpose === null ? account?.used : account && own(account.purposes, purpose)?.used
  return Object.values(state.reserved)
    .filter((claim) => claim.dataset === dataset && (purpose === null || claim.purpose === purpose))
    .reduce((used, { cost }) => plus(used, cost), spent ?? NOTHING_USED)
}

function spend(state: BudgetState, { id, at }: Extract<BudgetEvent, { type: 'spend' }>): BudgetStep {
  if (state.spent.includes(id)) return { state, effects: [] }
  const claim = own(state.reserved, id)
  if (claim === undefined) fail('budget-exceeded', `nothing is reserved for "${id}"`, { id })
  const { dataset, purpose, cost } = claim
  const account = own(state.accounts, dataset)
  if (account === undefined) fail('internal', `the account of "${dataset}" is gone`)
  const part = own(account.purposes, purpose) ?? { limit: null, used: NOTHING_USED }
  const spentAccount: Account = {
    ...account,
    used: plus(account.used, cost),
    purposes: { ...account.purposes, [purpose]: { ...part, used: plus(part.used, cost) } },
  }
  const record: RecordWrite = { collection: SPENDING, key: id, value: { dataset, purpose, cost, at } }
  return {
    state: {
      accounts: { ...state.accounts, [dataset]: spentAccount },
      reserved: without(state.reserved, id),
      spent: [...state.spent, id].slice(-SPENT_KEPT),
    },
    effects: [],
    records: [record],
  }
}

function release(state: BudgetState, id: string): BudgetStep {
  if (state.spent.includes(id)) fail('invalid-request', `"${id}" is spent: it cannot be given back`)
  return { state: { ...state, reserved: without(state.reserved, id) }, effects: [] }
}

function without<T>(of: Readonly<Record<string, T>>, name: string): Record<string, T> {
  return Object.fromEntries(Object.entries(of).filter(([key]) => key !== name))
}
