/**
 * An organisation's durable privacy budget: the machine of privacy/dp/budget.ts in the node's database. Every change is one
 * transaction under the lock of its one stream, so processes and rounds that spend at once are put in order, and what was
 * granted is on disk before the caller hears of it (P4). Time decides nothing here.
 */

import { digestOf } from '../../base/hash.ts'
import { type BudgetEvent, budgetMachine, type BudgetState, type Limit } from '../../privacy/dp/budget.ts'
import type { Cost } from '../../privacy/dp/cost.ts'
import { type DatasetStatement, statements } from '../../privacy/dp/statement.ts'
import { type AnyMachine, createDrive } from '../drive.ts'
import type { Ports } from '../ports.ts'

export const BUDGET_STREAM = 'privacy-budget'
/** The account of the logs that a node trains on. */
export const OWN_DATA = 'own'

export interface Claim {
  readonly dataset: string
  readonly purpose: string
  readonly cost: Cost
}

export interface PrivacyBudget {
  /** The administrator's limit of a data set, or of one purpose of it; nothing happens if it holds already. @throws invalid-request */
  setLimit(dataset: string, purpose: string | null, limit: Limit): Promise<void>
  /** Sets a cost aside, once for an id. @throws budget-exceeded (nothing changes), invalid-request */
  reserve(id: string, claim: Claim): Promise<void>
  /** Turns what is reserved into what is spent; durable when it resolves. Call it before anything is released. @throws budget-exceeded */
  spend(id: string): Promise<void>
  /** Gives back what was reserved and never used. @throws invalid-request if it was spent */
  release(id: string): Promise<void>
  statements(): Promise<readonly DatasetStatement[]>
}

export function openPrivacyBudget(ports: Pick<Ports, 'store' | 'jobs' | 'clock'>): PrivacyBudget {
  const { store, clock } = ports
  const drive = createDrive(ports, [budgetMachine as unknown as AnyMachine], async () => [])
  const dispatch = async (event: BudgetEvent, id: string): Promise<void> =>
    void (await drive.dispatch(BUDGET_STREAM, event, { id }))
  const read = async () => {
    const held = await store.readStream(BUDGET_STREAM)
    return { seq: held?.seq ?? 0, state: (held?.state as BudgetState | undefined) ?? budgetMachine.initial('') }
  }

  return {
    async setLimit(dataset, purpose, limit) {
      const { seq, state } = await read()
      const account = Object.hasOwn(state.accounts, dataset) ? state.accounts[dataset] : undefined
      const held = purpose === null ? account?.limit : account?.purposes[purpose]?.limit
      if (held?.epsilon === limit.epsilon && held.delta === limit.delta) return
      const change = { dataset, purpose, limit }
      await dispatch({ type: 'limit-set', ...change, at: clock.now() }, `limit/${seq}/${digestOf(change)}`)
    },
    reserve: (id, claim) => dispatch({ type: 'reserve', id, ...claim, at: clock.now() }, `reserve/${id}`),
    spend: (id) => dispatch({ type: 'spend', id, at: clock.now() }, `spend/${id}`),
    release: (id) => dispatch({ type: 'release', id, at: clock.now() }, `release/${id}`),
    statements: async () => statements((await read()).state),
  }
}
