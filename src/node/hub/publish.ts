/**
 * Sealed blocks into the members' mailboxes. A member's copies are posted in order of height, from the first that it was
 * not sent: so one who joined late catches up, and no reordering of jobs ever shows a replica a gap.
 */

import type { OrganisationId } from '../../base/ids.ts'
import { activeOrganisations, membersFor } from '../../registry/read.ts'
import type { Drive } from '../drive.ts'
import type { LedgerRecord } from '../../ledger/log.ts'
import type { RegistryState } from '../../registry/state.ts'
import { blockOf, type LedgerReader, versionValue } from '../ledger-reader.ts'
import type { HubContext } from './identity.ts'
import { letter } from './mail.ts'
import { registryState } from './members.ts'

const BATCH = 64

const postedValue = (organisation: OrganisationId): string => `blocks-posted/${organisation}`

/** Posts every block up to `height` to every active organisation that was not sent it. */
export async function publishBlocks(
  context: HubContext,
  drive: Drive,
  ledger: LedgerReader,
  height: number,
): Promise<void> {
  await indexVersion(context, ledger, height)
  const registry = await registryState(drive)
  for (const organisation of activeOrganisations(registry))
    await publishTo(context, ledger, registry, organisation, height)
}

/** Posts the whole ledger to a new member. */
export async function catchUp(
  context: HubContext,
  drive: Drive,
  ledger: LedgerReader,
  organisation: OrganisationId,
): Promise<void> {
  const height = (await ledger.size()) - 1
  if (height >= 0) await publishTo(context, ledger, await registryState(drive), organisation, height)
}

async function publishTo(
  context: HubContext,
  ledger: LedgerReader,
  registry: RegistryState,
  organisation: OrganisationId,
  height: number,
): Promise<void> {
  const { store } = context.ports
  for (;;) {
    const next = ((await store.readValue(postedValue(organisation))) as number | undefined) ?? 0
    if (next > height) return
    const records = await ledger.records(next, Math.min(height, next + BATCH - 1))
    const letters = records.map((record, i) =>
      letter(context, organisation, 'block-published', publication(record, registry), `block-published/${next + i}`),
    )
    // Two processes may both do this: the ids are the same, so each block is posted once, and in order.
    await store.transact(async (transaction) => {
      for (const envelope of letters) await transaction.postMail(organisation, envelope)
      await transaction.setValue(postedValue(organisation), next + letters.length)
    })
  }
}

/** The block with the keys of those who were members when it was made, or signed it. */
function publication(record: LedgerRecord, registry: RegistryState) {
  const { leaf, checkpoint } = record
  const { timestamp, org_signatures: signatures } = blockOf(record)
  return { leaf, checkpoint, members: membersFor(registry, Date.parse(timestamp), Object.keys(signatures)) }
}

/** Versions repeat in every training; the bare version means the newest, `<training>/<version>` a particular one. */
async function indexVersion(context: HubContext, ledger: LedgerReader, height: number): Promise<void> {
  const { model_version: version, training_id: training } = (await ledger.block(height)).provenance
  await context.ports.store.transact(async (transaction) => {
    await transaction.setValue(versionValue(version), height)
    await transaction.setValue(versionValue(`${training}/${version}`), height)
  })
}
