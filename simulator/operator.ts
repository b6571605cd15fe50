/**
 * The people: at the hub, who invites the organisations, waits until they are there and starts the training; at an
 * organisation, who leaves. They try again and again.
 */

import { EntenteError } from '../src/base/errors.ts'
import type { Hub } from '../src/node/hub.ts'
import type { OrganisationNode } from '../src/node/organisation.ts'
import type { Cluster } from './cluster.ts'
import type { Process } from './fakes/process.ts'
import type { Plan, Scenario } from './plan.ts'
import { OTHER_PURPOSE } from './private-plan.ts'

export const TRAINING_ID = 't-1'

const PATIENCE_MS = 10_000

export async function operate(cluster: Cluster, operator: Process): Promise<void> {
  const { plan, tokens } = cluster
  for (const organisation of plan.scenario.organisations) {
    const { token } = await insist(cluster, operator, (hub) => hub.invite({ organisation }))
    tokens.set(organisation, token)
  }
  const { length } = plan.scenario.organisations
  while ((await insist(cluster, operator, (hub) => hub.organisations())).length < length)
    await cluster.scheduler.sleep(500)
  for (const id of trainingIds(plan)) await insist(cluster, operator, (hub) => startTraining(hub, plan, id))
}

/** One, or several at once that draw on one budget. */
export function trainingIds({ private: asked }: Plan): string[] {
  return [TRAINING_ID, ...Array.from({ length: (asked?.trainings ?? 1) - 1 }, (_, i) => `t-${i + 2}`)]
}

/** A first try may have succeeded before the hub died: then the training is there already. */
async function startTraining(hub: Hub, plan: Plan, trainingId: string): Promise<void> {
  try {
    await hub.startTraining({ trainingId, config: trainingConfig(plan, trainingId) })
  } catch (error) {
    if (!(error instanceof EntenteError) || error.code !== 'already-exists') throw error
  }
}

/** A rule counts on everybody; without one a few may be missing. */
function participantsMin({ robust, organisations, protection }: Scenario): number {
  if (robust !== undefined) return organisations.length
  return protection === 'plain' ? 2 : 3
}

export function trainingConfig(
  { scenario, deadlineMs, sealTimeoutMs, phaseMs, private: asked }: Plan,
  trainingId: string,
) {
  return {
    model: { kind: 'mlp', inputs: 4, hidden: [5] },
    strategy: { name: scenario.strategy },
    local: {
      epochs: 1,
      batchSize: 16,
      learningRate: 0.05,
      optimiser: 'sgd',
      proximalMu: scenario.proximalMu,
      rowsMax: 64,
    },
    protection: scenario.protection,
    privacy: asked?.privacy ?? null,
    ...(trainingId === TRAINING_ID ? {} : { purpose: OTHER_PURPOSE }),
    masking: { phaseMs },
    ...(scenario.robust === undefined ? {} : { robust: scenario.robust }),
    ...(scenario.sparsify === undefined ? {} : { sparsify: scenario.sparsify }),
    round: { participantsMin: participantsMin(scenario), deadlineMs, sealTimeoutMs },
    clipNorm: scenario.clipNorm,
    ...(scenario.clipAdaptive === undefined ? {} : { clipAdaptive: scenario.clipAdaptive }),
    seed: scenario.trainingSeed,
    rounds: scenario.rounds,
  }
}

/** Calls the hub until it answers; a hub that dies in the middle never does. */
async function insist<T>({ hub, scheduler }: Cluster, operator: Process, work: (hub: Hub) => Promise<T>): Promise<T> {
  for (;;) {
    const app = hub.app()
    const answer = app === undefined ? undefined : await answered(operator, work(app))
    if (answer !== undefined) return answer.value
    await scheduler.sleep(500)
  }
}

function answered<T>(operator: Process, work: Promise<T>): Promise<{ value: T } | undefined> {
  return new Promise((resolve, reject) => {
    operator.after(PATIENCE_MS, () => resolve(undefined))
    work.then(
      (value) => resolve({ value }),
      (error: unknown) => (error instanceof EntenteError && error.retryable ? resolve(undefined) : reject(error)),
    )
  })
}

/** Leaves in the name of an organisation, once it has joined, until the hub says that it is no longer a member. */
export async function depart(
  { organisations, departed, scheduler, plan }: Cluster,
  administrator: Process,
): Promise<void> {
  if (plan.departure === null) return
  const { organisation, afterMs } = plan.departure
  await scheduler.sleep(afterMs)
  for (;;) {
    const node = organisations.get(organisation)?.app()
    const left = node === undefined ? undefined : await answered(administrator, leave(node))
    if (left !== undefined) return void departed.add(organisation)
    await scheduler.sleep(500)
  }
}

/** The answer to an earlier try may have been lost: then we are told that we are not there any more. */
async function leave(node: OrganisationNode): Promise<true> {
  try {
    await node.leave()
  } catch (error) {
    if (!(error instanceof EntenteError) || error.code !== 'organisation-removed') throw error
  }
  return true
}
