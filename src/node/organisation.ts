/**
 * An organisation's node: keeps its data inside, trains on it when the hub announces a round, vouches for what it sent,
 * and keeps a verified copy of the ledger. It dials out only. This file wires its machines to the world; what each effect
 * does is in `organisation/`, by noun.
 */

import type { FederationId, OrganisationId } from '../base/ids.ts'
import { type PublicKey, publicKeyOf } from '../base/signature.ts'
import { HIDING_PROTECTIONS } from '../learning/masking-config.ts'
import { UNTRUSTING_MECHANISMS } from '../learning/mechanisms.ts'
import { participantMachine } from '../learning/participant.ts'
import { type ReplicaState, replicaMachine } from '../ledger/replica.ts'
import { type AnyMachine, createDrive, type Drive } from './drive.ts'
import { createLedgerReader, type LedgerReader } from './ledger-reader.ts'
import { createMasking } from './masking/choose-threads.ts'
import { performOrganisationEffect } from './organisation/effects.ts'
import type {
  OrganisationContext,
  OrganisationIdentity,
  OrganisationOptions,
  OrganisationPorts,
} from './organisation/identity.ts'
import { leaveFederation } from './organisation/letters.ts'
import { type MaskingParts, type SealedClient, sealedClient } from './organisation/masking.ts'
import { type EncryptionParts, type SealedEncryption, sealedEncryption } from './organisation/encryption.ts'
import { pollForever, pollOnce } from './organisation/poll.ts'
import { receiveMail } from './organisation/receive.ts'
import { type OrganisationNodeStatus, status } from './organisation/status.ts'
import { openPrivacyBudget, OWN_DATA, type PrivacyBudget } from './privacy-budget/privacy-budget.ts'

export type { OrganisationIdentity, OrganisationOptions, OrganisationPorts } from './organisation/identity.ts'

export interface OrganisationNode {
  readonly federation: FederationId
  readonly organisation: OrganisationId
  readonly publicKey: PublicKey
  readonly ports: OrganisationPorts
  readonly ledger: LedgerReader
  readonly budget: PrivacyBudget
  /** Begins to carry out effects, those left over from earlier processes among them. */
  start(): Promise<void>
  /** Asks the hub for mail until the signal aborts; backs off while the hub does not answer. */
  run(signal: AbortSignal): Promise<void>
  /** One poll; returns the number of letters that it brought. @throws unavailable */
  poll(signal: AbortSignal): Promise<number>
  stop(): Promise<void>
  /** Leaves the federation for good. @throws unavailable */
  leave(): Promise<void>
  status(): Promise<OrganisationNodeStatus>
}

function machinesOf(
  { identity, options }: OrganisationContext,
  client: SealedClient,
  encryption: SealedEncryption,
): readonly AnyMachine[] {
  const { accepts = HIDING_PROTECTIONS, mechanisms = UNTRUSTING_MECHANISMS, requirePrivacy = true, purposes } = options
  const taken = { accepts, mechanisms, requirePrivacy, ...(purposes === undefined ? {} : { purposes }) }
  const participant = participantMachine({ organisation: identity.organisation, ...taken })
  const replica = replicaMachine({ origin: identity.federation, hubKey: identity.ledgerKey })
  return [participant, client.machine, encryption.machine, replica] as unknown as readonly AnyMachine[]
}

export function createOrganisation(
  ports: OrganisationPorts,
  identity: OrganisationIdentity,
  options: OrganisationOptions,
): OrganisationNode {
  const budget = openPrivacyBudget(ports)
  const context: OrganisationContext = { ports, identity, options, budget }
  const client = sealedClient(identity)
  const encryption = sealedEncryption(identity)
  const threads = createMasking(ports.blobs)
  const parts: MaskingParts & EncryptionParts = {
    context,
    client,
    encryption,
    threads,
    dispatch: async (stream, event, id) => void (await drive.dispatch(stream, event, { id })),
  }
  const log = options.log === undefined ? {} : { log: options.log }
  const drive: Drive = createDrive(
    { ...ports, ...log },
    machinesOf(context, client, encryption),
    (effect, effectContext) => performOrganisationEffect(parts, effect, effectContext),
  )
  const replicaSize = async (): Promise<number> =>
    ((await drive.read('replica')) as ReplicaState | undefined)?.log.size ?? 0
  const ledger = createLedgerReader(ports.store, replicaSize)
  const receive = (mail: Parameters<typeof receiveMail>[2]) => receiveMail(context, drive, mail)

  return {
    federation: identity.federation,
    organisation: identity.organisation,
    publicKey: publicKeyOf(identity.secret),
    ports,
    ledger,
    budget,
    async start() {
      if (options.privacyBudget !== undefined) await budget.setLimits(OWN_DATA, options.privacyBudget)
      await drive.start()
    },
    run: (signal) => pollForever(context, receive, signal),
    poll: (signal) => pollOnce(context, receive, signal),
    async stop() {
      await drive.stop()
      await threads.close()
    },
    leave: () => leaveFederation(context),
    status: () => status(context, ledger),
  }
}
