/**
 * The hub: coordinates a federation and can be trusted with nothing. This file wires the machines of the registry, of
 * trainings, of rounds and of the ledger to the world; what each operation does is in `hub/`, by noun. All truth is in
 * the store: any number of hubs on one store are one hub.
 */

import type { Envelope } from '../base/envelope.ts'
import type { Digest, FederationId, OrganisationId, Party } from '../base/ids.ts'
import { type PublicKey, publicKeyOf } from '../base/signature.ts'
import { roundMachine } from '../learning/round.ts'
import { trainingMachine } from '../learning/training.ts'
import { validationMachine } from '../learning/validation.ts'
import type { LedgerExport, LedgerKeys } from '../ledger/export.ts'
import { ledgerMachine, type LedgerState } from '../ledger/sealing.ts'
import { LISTED_VECTORS } from '../privacy/homomorphic/rounds/server-moves.ts'
import { decryptionServer } from '../privacy/homomorphic/rounds/server.ts'
import { maskingServer } from '../privacy/masking/server.ts'
import { registryMachine } from '../registry/machine.ts'
import { type AnyMachine, createDrive, type Drive } from './drive.ts'
import { performHubEffect } from './hub/effects.ts'
import { exportLedger, ledgerKeys, type ModelVerdict, verifyModel } from './hub/evidence.ts'
import type { HubContext, HubIdentity, HubOptions } from './hub/identity.ts'
import { letter, readMailbox } from './hub/mail.ts'
import { catchUp } from './hub/publish.ts'
import { type Receipt, receive } from './hub/receive.ts'
import { type IssuedInvitation, invite, register, type Registration, remove, requireMember } from './hub/registry.ts'
import {
  type HubStatus,
  organisations,
  type OrganisationStatus,
  readRound,
  readTraining,
  readTrainings,
  status,
} from './hub/status.ts'
import { type StartedTraining, startTraining, stopTraining, type TrainingRequest } from './hub/trainings.ts'
import { derivedId } from './derived-id.ts'
import { createLedgerReader, type LedgerReader } from './ledger-reader.ts'
import { createMasking } from './masking/choose-threads.ts'
import type { Mail, Ports } from './ports.ts'

export type { HubIdentity, HubOptions } from './hub/identity.ts'

export interface Hub {
  readonly federation: FederationId
  /** Verifies the hub's envelopes. */
  readonly publicKey: PublicKey
  /** Verifies the checkpoints of its ledger, whose origin is the federation's name. */
  readonly ledgerKey: PublicKey
  readonly ports: Ports
  readonly ledger: LedgerReader

  /** Begins to carry out effects, those left over from earlier processes among them. */
  start(): Promise<void>
  stop(): Promise<void>

  /** Takes in a signed message of an organisation. @throws the code of the first check that fails */
  receive(envelope: Envelope, sender: { readonly peer: Party }): Promise<Receipt>
  /** Mail after a position, waiting up to `waitMs` for the first. @throws unknown-organisation, organisation-removed */
  mailbox(organisation: OrganisationId, after: number, waitMs: number, signal: AbortSignal): Promise<readonly Mail[]>

  invite(options?: { organisation?: OrganisationId; lifetimeMs?: number }): Promise<IssuedInvitation>
  /** The hub's signed receipt. @throws invitation-invalid, organisation-exists, organisation-removed */
  register(token: string, registration: Registration): Promise<Envelope>
  removeOrganisation(organisation: OrganisationId, reason: string): Promise<void>
  requireMember(organisation: OrganisationId): Promise<void>
  organisations(): Promise<readonly OrganisationStatus[]>

  startTraining(request: TrainingRequest): Promise<StartedTraining>
  stopTraining(trainingId: string): Promise<void>
  /** Records of all trainings, sorted by id. */
  trainings(): Promise<readonly unknown[]>
  /** @throws not-found */
  training(trainingId: string): Promise<unknown>
  /** @throws unknown-round */
  round(roundId: string): Promise<unknown>
  status(): Promise<HubStatus>

  /** Whether members may fetch this blob: models of the ledger, and ciphertexts whose sum they are asked to open; no update. */
  isPublished(digest: Digest): Promise<boolean>
  exportLedger(): Promise<LedgerExport>
  ledgerKeys(): Promise<LedgerKeys>
  verifyModel(model: Digest, signatures?: Readonly<Record<string, string>>): Promise<ModelVerdict>
}

/** The stream's machine is the only one that knows the type of its events; drive hands each its own. */
function machinesOf({ identity }: HubContext): readonly AnyMachine[] {
  const ledger = ledgerMachine({ origin: identity.federation, hubSecret: identity.ledgerSecret })
  return [
    registryMachine,
    trainingMachine,
    roundMachine,
    validationMachine,
    maskingServer(),
    decryptionServer(),
    ledger,
  ] as unknown as readonly AnyMachine[]
}

export function createHub(ports: Ports, identity: HubIdentity, options: HubOptions): Hub {
  const context: HubContext = { ports, identity, options, publicKey: publicKeyOf(identity.secret) }
  const ledgerSize = async (): Promise<number> =>
    ((await drive.read('ledger')) as LedgerState | undefined)?.log.size ?? 0
  const ledger = createLedgerReader(ports.store, ledgerSize)
  const masking = createMasking(ports.blobs)
  const log = options.log === undefined ? {} : { log: options.log }
  const drive: Drive = createDrive({ ...ports, ...log }, machinesOf(context), (effect, effectContext) =>
    performHubEffect({ context, ledger, masking, drive: () => drive }, effect, effectContext),
  )
  const ledgerKey = publicKeyOf(identity.ledgerSecret)

  return {
    federation: identity.federation,
    publicKey: context.publicKey,
    ledgerKey,
    ports,
    ledger,
    start: () => drive.start(),
    async stop() {
      await drive.stop()
      await masking.close()
    },

    receive: (envelope, sender) => receive(context, drive, envelope, sender),
    async mailbox(organisation, after, waitMs, signal) {
      await requireMember(context, drive, organisation)
      return readMailbox(context, organisation, after, waitMs, signal)
    },

    invite: (invitation) => invite(context, drive, invitation),
    async register(token, registration) {
      await register(context, drive, token, registration)
      await catchUp(context, drive, ledger, registration.organisation)
      return letter(context, registration.organisation, 'registered', registration, derivedId(registration.signingKey))
    },
    removeOrganisation: (organisation, reason) => remove(context, drive, organisation, reason),
    requireMember: (organisation) => requireMember(context, drive, organisation),
    organisations: () => organisations(context, drive),

    startTraining: (request) => startTraining(context, drive, request),
    stopTraining: (id) => stopTraining(context, drive, id),
    trainings: () => readTrainings(context),
    training: (id) => readTraining(context, id),
    round: (id) => readRound(context, id),
    status: () => status(context, drive, ledger),

    isPublished: async (digest) =>
      (await ports.store.readRecord('model', digest)) !== undefined ||
      (await ports.store.readRecord(LISTED_VECTORS, digest)) !== undefined,
    exportLedger: () => exportLedger(identity.federation, ledger),
    ledgerKeys: () => ledgerKeys(drive, identity.federation, ledgerKey),
    verifyModel: (model, signatures) => verifyModel(drive, ledger, model, signatures),
  }
}
