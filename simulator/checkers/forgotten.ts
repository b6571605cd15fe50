/**
 * Whoever steals an organisation's disk finds models, and of rounds only what they still need: no update of a round that is
 * over, masked or not. And what must stay has stayed: every model of the ledger at the hub, the latest at every organisation.
 */

import type { Digest } from '../../src/base/ids.ts'
import type { ParticipantState } from '../../src/learning/participant-state.ts'
import { ROUND_BLOBS } from '../../src/node/organisation/round-blobs.ts'
import { type NodeRemains, recordsOf, type Run, stateOf, type Violation } from '../run.ts'
import { blocksOf } from './blocks.ts'

export function checkForgotten(run: Run): Violation[] {
  const models = new Set(blocksOf(run).map(({ model_hash: model }) => model))
  const [latest] = [...models].slice(-1)
  const messages = [
    ...[...models].filter((model) => !run.hub.kept.has(model)).map((model) => `the hub has lost the model ${model}`),
    ...run.organisations.flatMap((node) => [
      ...[...node.kept]
        .filter((digest) => !models.has(digest) && !isNeeded(run, node, digest))
        .map((digest) => `${node.name} keeps ${digest}, which nothing needs`),
      ...(latest === undefined || node.kept.has(latest) || run.departed.has(node.name)
        ? []
        : [`${node.name} has lost the model ${latest}`]),
    ]),
  ]
  return messages.map((message) => ({ checker: 'forgotten', message }))
}

function isNeeded(run: Run, node: NodeRemains, digest: Digest): boolean {
  return heldByRound(run, node, digest) || heldForNextRound(node, digest)
}

/** A round that has not ended here may be waiting for its timer. */
function heldByRound(run: Run, node: NodeRemains, digest: Digest): boolean {
  return [...recordsOf(node, ROUND_BLOBS)].some(([key, isThere]) => {
    const [round = '', named] = key.split('/')
    return named === digest && isThere === true && !isOver(run, node, round)
  })
}

const SENT: ReadonlySet<string> = new Set<ParticipantState['phase']>(['contributed', 'signing', 'signed'])

function isOver(run: Run, node: NodeRemains, round: string): boolean {
  const { phase } = stateOf(node, `participant/${round}`) as ParticipantState
  if (phase === 'abandoned') return true
  const height = blocksOf(run).find(({ provenance }) => provenance.round_id === round)?.height
  return SENT.has(phase) && height !== undefined && height < recordsOf(node, 'ledger').size
}

function heldForNextRound(node: NodeRemains, digest: Digest): boolean {
  return [...node.tables.streams].some(([stream, { state }]) => {
    const { from, next } = state as { from?: unknown; next?: unknown }
    return stream.startsWith('residual/') && (from === digest || next === digest)
  })
}
