/** Bugs on purpose, each in something that the product is given: what the checkers must find. */

import { signEnvelope } from '../src/base/envelope.ts'
import type { Hub } from '../src/node/hub.ts'
import type { Job, Jobs, Store } from '../src/node/ports.ts'
import { BUDGET_STREAM } from '../src/node/privacy-budget/privacy-budget.ts'
import { type BudgetState, NOTHING_USED } from '../src/privacy/dp/budget-state.ts'
import type { Tampering } from './cluster.ts'
import type { Disk } from './fakes/disk.ts'
import { simulatedSecret } from './keys.ts'

/** The hub's aggregation is handed the first contribution, or masked vector, of a round again in the place of the last. */
export const countTwice: Tampering = {
  ports: (ports, { name }) => (name === 'hub' ? { ...ports, jobs: countingTwice(ports.jobs) } : ports),
}

function countingTwice(jobs: Jobs): Jobs {
  return { ...jobs, start: (handler) => jobs.start((job) => handler(withFirstTwice(job))) }
}

function withFirstTwice(job: Job): Job {
  const effect = job.effect as { type: string; contributions?: unknown[]; order?: { vectors: unknown[] } }
  const { type, contributions, order } = effect
  if (type === 'aggregate' && contributions !== undefined)
    return { ...job, effect: { ...effect, contributions: firstTwice(contributions) } }
  if (type === 'unmask' && order !== undefined)
    return { ...job, effect: { ...effect, order: { ...order, vectors: firstTwice(order.vectors) } } }
  return job
}

const firstTwice = (all: readonly unknown[]): unknown[] => [all[0], ...all.slice(0, -1)]

/** A store that keeps what a machine wants forgotten. */
export const rememberMasks: Tampering = {
  ports: (ports) => ({ ...ports, store: remembering(ports.store) }),
}

function remembering(store: Store): Store {
  return {
    ...store,
    transact: (work) => store.transact((transaction) => work({ ...transaction, forgetEvents: async () => undefined })),
  }
}

/** An organisation's disk from which nothing goes away. */
export const keepBlobs: Tampering = {
  ports: (ports) => ({ ...ports, blobs: { ...ports.blobs, remove: async () => undefined } }),
}

/** A disk that calls a write durable while it still holds it back: power loss takes up to seven commits away. */
export const forgetOnCrash: Tampering = { disk: (_, disk) => lyingDisk(disk) }

const HELD_MAX = 7

function lyingDisk(disk: Disk): Disk {
  let written: unknown[] = []
  let held: unknown[] = []

  function sync(): readonly unknown[] {
    const visible = structuredClone(written)
    held.push(...written)
    written = []
    if (held.length > HELD_MAX) {
      for (const entry of held) disk.append(entry)
      disk.sync()
      held = []
    }
    return visible
  }

  return {
    ...disk,
    append: (entry) => void written.push(structuredClone(entry)),
    sync,
    crash(random) {
      written = []
      held = []
      disk.crash(random)
    },
  }
}

/** A hub that believes every envelope: as if each were signed by whoever it says it is from. */
export const skipSignatureCheck: Tampering = { hub: believing }

function believing(hub: Hub): Hub {
  return {
    ...hub,
    receive(envelope, sender) {
      const { bodyHash: _, ...header } = envelope.header
      return hub.receive(signEnvelope(header, envelope.body, simulatedSecret(header.from)), sender)
    },
  }
}

/** An organisation whose budget shows nothing as spent, whatever was written into it. */
export const forgetSpending: Tampering = {
  ports: (ports, { name }) => (name === 'hub' ? ports : { ...ports, store: misreading(ports.store, unspent) }),
}

/** An organisation whose budget knows the limit of the whole and none of a purpose. */
export const forgetPurposes: Tampering = {
  ports: (ports, { name }) => (name === 'hub' ? ports : { ...ports, store: misreading(ports.store, unlimited) }),
}

function misreading(store: Store, read: (budget: BudgetState) => BudgetState): Store {
  return {
    ...store,
    transact: (work) =>
      store.transact((transaction) =>
        work({
          ...transaction,
          async lockStream(stream) {
            const held = await transaction.lockStream(stream)
            return held === undefined || stream !== BUDGET_STREAM
              ? held
              : { ...held, state: read(held.state as BudgetState) }
          },
        }),
      ),
  }
}

type Account = BudgetState['accounts'][string]

const unspent = (budget: BudgetState): BudgetState => eachAccount(budget, (one) => ({ ...one, used: NOTHING_USED }))
const unlimited = (budget: BudgetState): BudgetState => eachAccount(budget, (one) => ({ ...one, purposes: {} }))

function eachAccount(budget: BudgetState, change: (account: Account) => Account): BudgetState {
  const changed = Object.entries(budget.accounts).map(([name, account]) => [name, change(account)])
  return { ...budget, accounts: Object.fromEntries(changed) as BudgetState['accounts'] }
}
