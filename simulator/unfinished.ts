/** Whether a history is complete: everything that was begun has ended, everywhere. */

import type { Cluster } from './cluster.ts'
import type { SimulatedNode } from './node.ts'
import { trainingIds } from './operator.ts'
import { EPOCH_MS } from './scheduler.ts'

const ENDED = new Set(['done', 'stopped', 'failed'])

/** What must still happen before the history is complete; nothing counts as finished while things may go wrong. */
export function unfinishedOf({ hub, organisations, departed, scheduler, plan }: Cluster): string[] {
  if (scheduler.now() < EPOCH_MS + plan.quietAfterMs) return ['the troubles go on']
  const training = (id: string) => hub.tables().streams.get(`training/${id}`)?.state as { phase: string } | undefined
  if (plan.departure !== null && !departed.has(plan.departure.organisation)) return ['an organisation wants to leave']
  const members = [...organisations].filter(([organisation]) => !departed.has(organisation)).map(([, node]) => node)
  const waiting = [...members, hub].flatMap((node) => waitingFor(node, scheduler.now()))
  for (const id of trainingIds(plan)) {
    const phase = training(id)?.phase ?? 'not there'
    if (!ENDED.has(phase)) waiting.push(`the training ${id} is ${phase}`)
  }
  const size = hub.tables().collections.get('ledger')?.size ?? 0
  for (const node of members) {
    const held = node.tables().collections.get('ledger')?.size ?? 0
    if (held !== size) waiting.push(`${node.name} holds ${held} of ${size} blocks`)
  }
  return waiting
}

function waitingFor(node: SimulatedNode<unknown>, now: number): string[] {
  if (node.app() === undefined) return [`${node.name} is down`]
  // A timer of the far future, such as the deadline of a round that ended early, is not something left to do.
  const due = [...node.tables().jobs.values()].filter((job) => (job.runAt ?? 0) < now + 1000)
  return due.map((job) => `${node.name} has not carried out ${job.id}`)
}
