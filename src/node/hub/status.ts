/** What an operator sees: who is there, what is being trained, how far the ledger is. No data, no updates. */

import { fail } from '../../base/errors.ts'
import type { Digest, FederationId, OrganisationId } from '../../base/ids.ts'
import { organisationOf } from '../../registry/read.ts'
import type { RegistryState } from '../../registry/state.ts'
import type { Drive } from '../drive.ts'
import type { LedgerReader } from '../ledger-reader.ts'
import { readValidation } from './validation.ts'
import { withQuality } from '../../learning/validation.ts'
import type { RoundRecord } from '../../learning/round-record.ts'
import type { HubContext } from './identity.ts'
import { lastSeen } from './mail.ts'
import { registryState } from './members.ts'

const RECORDS_MAX = 1000

export interface OrganisationStatus {
  readonly org_id: OrganisationId
  readonly status: 'active' | 'left' | 'removed'
  readonly endpoint: string
  readonly capabilities: readonly string[]
  /** Milliseconds since the epoch. */
  readonly joined_at: number
  readonly left_at: number | null
  /** When it last asked for mail; null = never. */
  readonly seen_at: number | null
}

export interface HubStatus {
  readonly role: 'hub'
  readonly federation: FederationId
  readonly organisations: readonly OrganisationStatus[]
  readonly trainings: readonly unknown[]
  readonly ledger: {
    readonly size: number
    readonly head: Digest | null
    readonly model_hash: Digest | null
    readonly model_version: string | null
  }
}

export async function organisations(context: HubContext, drive: Drive): Promise<readonly OrganisationStatus[]> {
  const registry = await registryState(drive)
  const names = (Object.keys(registry.organisations) as OrganisationId[]).sort()
  return Promise.all(names.map(async (name) => organisationStatus(registry, name, await lastSeen(context, name))))
}

function organisationStatus(registry: RegistryState, name: OrganisationId, seenAt: number | null): OrganisationStatus {
  const { status, endpoint, capabilities, joinedAt, leftAt } = organisationOf(registry, name)
  return { org_id: name, status, endpoint, capabilities, joined_at: joinedAt, left_at: leftAt ?? null, seen_at: seenAt }
}

/** Records that the training machine writes for readers, sorted by id. */
export async function readTrainings(context: HubContext): Promise<readonly unknown[]> {
  const records = await context.ports.store.readRecords('training', '', '~', RECORDS_MAX)
  return records.map(({ value }) => value)
}

export async function readTraining(context: HubContext, id: string): Promise<unknown> {
  return (await context.ports.store.readRecord('training', id)) ?? fail('not-found', `there is no training ${id}`)
}

export async function readRound(context: HubContext, id: string): Promise<unknown> {
  const round = await context.ports.store.readRecord('round', id)
  if (round === undefined) fail('unknown-round', `there is no round ${id}`)
  return withQuality(round as RoundRecord, await readValidation(context.ports.store, id))
}

export async function status(context: HubContext, drive: Drive, ledger: LedgerReader): Promise<HubStatus> {
  const block = (await ledger.head())?.block
  return {
    role: 'hub',
    federation: context.identity.federation,
    organisations: await organisations(context, drive),
    trainings: await readTrainings(context),
    ledger: {
      size: block === undefined ? 0 : block.height + 1,
      head: block?.hash ?? null,
      model_hash: block?.model_hash ?? null,
      model_version: block?.provenance.model_version ?? null,
    },
  }
}
