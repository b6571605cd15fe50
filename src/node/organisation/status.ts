/** What the node's own administrator sees. */

import type { Digest, FederationId, OrganisationId } from '../../base/ids.ts'
import type { LedgerReader } from '../ledger-reader.ts'
import type { OrganisationContext } from './identity.ts'
import { CURSOR } from './poll.ts'
import { CONFLICT_VALUE } from './receive.ts'

export interface OrganisationNodeStatus {
  readonly role: 'organisation'
  readonly federation: FederationId
  readonly organisation: OrganisationId
  readonly ledger: {
    readonly size: number
    readonly head: Digest | null
    readonly model_hash: Digest | null
    readonly model_version: string | null
    /** Whether the file of that model is here, verified against the block. */
    readonly model_present: boolean
    /** The two signed notes if the log has contradicted itself; null = it has not. */
    readonly conflict: unknown
  }
  readonly mail_cursor: number
}

export async function status(
  { identity, ports }: OrganisationContext,
  ledger: LedgerReader,
): Promise<OrganisationNodeStatus> {
  const block = (await ledger.head())?.block
  return {
    role: 'organisation',
    federation: identity.federation,
    organisation: identity.organisation,
    ledger: {
      size: block === undefined ? 0 : block.height + 1,
      head: block?.hash ?? null,
      model_hash: block?.model_hash ?? null,
      model_version: block?.provenance.model_version ?? null,
      model_present: block !== undefined && (await ports.blobs.size(block.model_hash)) !== undefined,
      conflict: (await ports.store.readValue(CONFLICT_VALUE)) ?? null,
    },
    mail_cursor: ((await ports.store.readValue(CURSOR)) as number | undefined) ?? 0,
  }
}
