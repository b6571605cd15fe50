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
import { type LimitSet, requireRoom, setLimit } from './budget-limits.ts'
import {
  type Account,
  type BudgetState,
  type Claim,
  NOTHING_USED,
  own,
  plus,
  requireNames,
  without,
} from './budget-state.ts'
import { curveOf } from './cost.ts'

export type BudgetEvent =
  | LimitSet
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

export const budgetMachine: Machine<BudgetState, BudgetEvent, never> = {
  kind: 'privacy-budget',
  initial: () => ({ accounts: {}, reserved: {}, spent: [] }),
  step(state, event) {
    switch (event.type) {
      case 'limit-set':
        return { state: setLimit(state, event), effects: [] }
      case 'reserve':
        return reserve(state, event)
      case 'spend':
        return spend(state, event)
      case 'release':
        return release(state, event.id)
    }
  },
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
  requireRoom(state, event)
  const claim: Claim = { dataset, purpose, cost }
  return { state: { ...state, reserved: { ...state.reserved, [id]: claim } }, effects: [] }
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
