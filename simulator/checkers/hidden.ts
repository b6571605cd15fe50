/**
 * P3: in a training with secure aggregation, what an organisation trained is at no other node, in no letter, and nowhere
 * but in its own store; and once its part in a round is over, its node does not even know the masks any more.
 */

import { toBase64 } from '../../src/base/bytes.ts'
import type { NodeRemains, Run, Violation } from '../run.ts'

export function checkHidden(run: Run): Violation[] {
  if (run.plan.scenario.protection === 'plain') return []
  const trained = run.organisations.flatMap((node) => updatesOf(node))
  const messages = [
    ...trained.flatMap((update) => seenElsewhere(run, update)),
    ...run.organisations.flatMap(remembered),
  ]
  return messages.map((message) => ({ checker: 'P3', message }))
}

interface Update {
  readonly owner: string
  readonly digest: string
  readonly bytes: Uint8Array
}

function updatesOf(node: NodeRemains): Update[] {
  return streamsOf(node, 'participant/').flatMap(({ events }) =>
    events.flatMap(({ event }) => {
      const { type, update } = event as { type?: string; update?: { digest: string } }
      const bytes = type === 'trained' ? node.blobs.get(update?.digest as never) : undefined
      return bytes === undefined || update === undefined ? [] : [{ owner: node.name, digest: update.digest, bytes }]
    }),
  )
}

function streamsOf(node: NodeRemains, prefix: string) {
  return [...node.tables.streams].filter(([id]) => id.startsWith(prefix)).map(([id, stream]) => ({ id, ...stream }))
}

/** Not even the digest: who can guess an update could confirm the guess with it. */
function seenElsewhere(run: Run, { owner, digest, bytes }: Update): string[] {
  const inline = toBase64(bytes)
  return [run.hub, ...run.organisations]
    .filter(({ name }) => name !== owner)
    .flatMap((node) => {
      const letters = JSON.stringify([[...node.tables.envelopes.values()], [...node.tables.mailboxes.values()]])
      const held = node.blobs.has(digest as never) || letters.includes(digest) || letters.includes(inline)
      return held ? [`${node.name} holds the update ${digest} of ${owner}`] : []
    })
}

const OVER = new Set(['revealed', 'abandoned'])

/** What may be remembered while a round goes on is encrypted; afterwards there is nothing. */
function remembered(node: NodeRemains): string[] {
  return streamsOf(node, 'masking/').flatMap(({ id, events, state }) => {
    const { phase } = state as { phase: string }
    const clear = JSON.stringify([events, state]).includes('"seed"')
    const kept = OVER.has(phase) && events.some(({ event }) => Object.keys(event as object).length > 0)
    if (clear) return [`${node.name} keeps the seed of ${id} in the clear`]
    return kept ? [`${node.name} remembers how it masked in ${id}`] : []
  })
}
