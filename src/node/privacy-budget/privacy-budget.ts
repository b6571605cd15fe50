/**
 * An organisation's durable privacy budget: the machine of privacy/dp/budget.ts in the node's database. Every change is one
 * transaction under the lock of its one stream, so processes and rounds that spend at once are put in order, and what was
 * granted is on disk before the caller hears of it (P4). Time decides nothing here.
 */

import { digestOf } from '../../base/hash.ts'
import { type BudgetEvent, budgetMachine } from '../../privacy/dp/budget.ts'
import type { BudgetState, Claim, Limit } from '../../privacy/dp/budget-state.ts'
import { type DatasetStatement, statements } from '../../privacy/dp/statement.ts'
import { type AnyMachine, createDrive } from '../drive.ts'
import type { Ports } from '../ports.ts'

export const BUDGET_STREAM = 'privacy-budget'
/** The account of the logs that a node trains on. */
export const OWN_DATA = 'own'

/** Of a data set, and of purposes within it; one that is not named is bounded by the data set alone. */
export interface Limits extends Limit {
  readonly purposes?: Readonly<Record<string, Limit>>
}

export interface PrivacyBudget {
  /**
   * The administrator's limit of a data set, or of one purpose of it; null takes the purpose's own away. Nothing happens if it
   * holds already. @throws invalid-request
   */
  setLimit(dataset: string, purpose: string | null, limit: Limit | null): Promise<void>
  /** All limits of a data set: those of purposes that are not named any more are taken away. @throws invalid-request */
  setLimits(dataset: string, limits: Limits): Promise<void>
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

  async function setLimit(dataset: string, purpose: string | null, limit: Limit | null): Promise<void> {
    const { seq, state } = await read()
    const held = limitIn(state, dataset, purpose)
    if (held?.epsilon === limit?.epsilon && held?.delta === limit?.delta) return
    const change = { dataset, purpose, limit }
    await dispatch({ type: 'limit-set', ...change, at: clock.now() }, `limit/${seq}/${digestOf(change)}`)
  }

  return {
    setLimit,
    async setLimits(dataset, { epsilon, delta, purposes = {} }) {
      await setLimit(dataset, null, { epsilon, delta })
      const held = Object.keys((await read()).state.accounts[dataset]?.purposes ?? {})
      const unnamed = held.filter((purpose) => !Object.hasOwn(purposes, purpose))
      for (const [purpose, limit] of Object.entries(purposes)) await setLimit(dataset, purpose, limit)
      for (const purpose of unnamed) await setLimit(dataset, purpose, null)
    },
    reserve: (id, claim) => dispatch({ type: 'reserve', id, ...claim, at: clock.now() }, `reserve/${id}`),
    spend: (id) => dispatch({ type: 'spend', id, at: clock.now() }, `spend/${id}`),
    release: (id) => dispatch({ type: 'release', id, at: clock.now() }, `release/${id}`),
    statements: async () => statements((await read()).state),
  }
}

function limitIn({ accounts }: BudgetState, dataset: string, purpose: string | null): Limit | null {
  const account = Object.hasOwn(accounts, dataset) ? accounts[dataset] : undefined
  if (account === undefined || purpose === null) return account?.limit ?? null
  return Object.hasOwn(account.purposes, purpose) ? (account.purposes[purpose]?.limit ?? null) : null
}
