/** P1: what the hub acknowledged is there, and what it published it still publishes, whatever died since. */

import { digestOf } from '../../src/base/hash.ts'
import type { RegistryState } from '../../src/registry/state.ts'
import { envelopeKey } from '../fakes/tables.ts'
import { type Acknowledgement, recordsOf, type Run, stateOf, type Violation } from '../run.ts'

export function checkDurable(run: Run): Violation[] {
  const lost = run.acknowledgements.map((acknowledgement) => lossOf(run, acknowledgement))
  const messages = new Set(lost.filter((message) => message !== undefined))
  return [...messages].map((message) => ({ checker: 'P1', message }))
}

function lossOf(run: Run, acknowledgement: Acknowledgement): string | undefined {
  const { organisation } = acknowledgement
  switch (acknowledgement.type) {
    case 'registration': {
      const registry = stateOf(run.hub, 'registry') as RegistryState | undefined
      const keys = registry?.organisations[organisation]?.keys ?? []
      const found = keys.some(({ publicKey }) => publicKey === acknowledgement.signingKey)
      return found ? undefined : `the acknowledged registration of ${organisation} is gone`
    }
    case 'envelope': {
      const { header } = acknowledgement.envelope
      const kept = run.hub.tables.envelopes.get(envelopeKey(acknowledgement.envelope))
      // Each delivery is signed anew; what counts is what was said.
      if (kept?.header.bodyHash === header.bodyHash) return undefined
      return `the acknowledged ${header.type} ${header.id} of ${organisation} is gone`
    }
    case 'mail': {
      const { position, envelope } = acknowledgement.mail
      const kept = run.hub.tables.mailboxes.get(organisation)?.[position - 1]
      if (kept === undefined || digestOf(kept.envelope) !== digestOf(envelope))
        return `letter ${position} (${envelope.header.type}), which ${organisation} was given, is gone`
      return envelope.header.type === 'block-published' ? blockLoss(run, envelope.body) : undefined
    }
    case 'blob': {
      const found = run.hub.blobs.has(acknowledgement.digest)
      return found ? undefined : `the acknowledged blob ${acknowledgement.digest} of ${organisation} is gone`
    }
  }
}

function blockLoss(run: Run, body: unknown): string | undefined {
  const { leaf } = body as { leaf: string }
  const { height } = JSON.parse(leaf) as { height: number }
  const kept = recordsOf(run.hub, 'ledger').get(String(height).padStart(12, '0')) as { leaf: string } | undefined
  return kept?.leaf === leaf ? undefined : `block ${height}, which was published, is gone from the hub's ledger`
}
