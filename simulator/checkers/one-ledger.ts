/** P6: no two parties hold conflicting ledgers; when all is quiet they hold the same one, and it verifies from outside. */

import { EntenteError } from '../../src/base/errors.ts'
import { publicKeyOf } from '../../src/base/signature.ts'
import { verifyExport } from '../../src/ledger/export.ts'
import type { OrganisationId } from '../../src/base/ids.ts'
import { FEDERATION, HUB_IDENTITY, simulatedSecret } from '../keys.ts'
import { type NodeRemains, recordsOf, type Run, type Violation } from '../run.ts'
import { leavesOf } from './blocks.ts'

export function checkOneLedger(run: Run): Violation[] {
  const nodes = [run.hub, ...run.organisations]
  const members = nodes.filter(({ name }) => !run.departed.has(name))
  const messages = [
    ...run.overwritten,
    ...nodes.flatMap((node) => conflictsWith(node, run.hub)),
    ...(run.finished ? members.flatMap((node) => behind(node, run.hub)) : []),
    ...nodes.flatMap((node) => exportFaults(run, node)),
  ]
  return messages.map((message) => ({ checker: 'P6', message }))
}

/** All being prefixes of the hub's, they are prefixes of one another. */
function conflictsWith(node: NodeRemains, hub: NodeRemains): string[] {
  const [ours, theirs] = [leavesOf(hub), leavesOf(node)]
  const common = Math.min(ours.length, theirs.length)
  const at = theirs.slice(0, common).findIndex((leaf, height) => leaf !== ours[height])
  const conflict = at < 0 ? [] : [`${node.name} and the hub hold different blocks at height ${at}`]
  return theirs.length > ours.length ? [...conflict, `${node.name} holds a block that the hub does not have`] : conflict
}

function behind(node: NodeRemains, hub: NodeRemains): string[] {
  const [size, held] = [leavesOf(hub).length, leavesOf(node).length]
  return held < size ? [`${node.name} holds ${held} of ${size} blocks when all is quiet`] : []
}

/** With the keys that the federation's members were given, not those that the hub says they have. */
function exportFaults(run: Run, node: NodeRemains): string[] {
  const leaves = leavesOf(node)
  const last = recordsOf(node, 'ledger').get(String(leaves.length - 1).padStart(12, '0')) as
    | { checkpoint: string }
    | undefined
  if (last === undefined) return []
  const names = run.plan.scenario.organisations
  const organisations = Object.fromEntries(names.map((name) => [name, [publicKeyOf(simulatedSecret(name))]]))
  const keys = {
    format: 'entente-keys-1' as const,
    origin: FEDERATION,
    hub: publicKeyOf(HUB_IDENTITY.ledgerSecret),
    organisations: organisations as Record<OrganisationId, string[]>,
  }
  try {
    verifyExport({ format: 'entente-ledger-1', origin: FEDERATION, checkpoint: last.checkpoint, leaves }, keys)
    return []
  } catch (error) {
    if (!(error instanceof EntenteError)) throw error
    return [`the ledger of ${node.name} does not verify: ${error.message}`]
  }
}
