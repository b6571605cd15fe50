/** Who an organisation's node is and what it is given, shared by the files of this folder. */

import type { FederationId, OrganisationId } from '../../base/ids.ts'
import type { PublicKey, SecretKey } from '../../base/signature.ts'
import type { Protection } from '../../learning/masking-config.ts'
import type { Mechanism } from '../../learning/mechanisms.ts'
import type { Kernels } from '../../models/kernels/kernels.ts'
import type { HomomorphicScheme } from '../../privacy/homomorphic/scheme.ts'
import type { DriveLog } from '../drive.ts'
import type { HubConnection, Ports, Trainer } from '../ports.ts'
import type { Limits, PrivacyBudget } from '../privacy-budget/privacy-budget.ts'

export interface OrganisationIdentity {
  readonly federation: FederationId
  readonly organisation: OrganisationId
  /** Signs envelopes and blocks. */
  readonly secret: SecretKey
  /** Verifies the hub's envelopes. */
  readonly hubKey: PublicKey
  /** Verifies the ledger's checkpoints. */
  readonly ledgerKey: PublicKey
}

export interface OrganisationPorts extends Ports {
  readonly connection: HubConnection
  readonly trainer: Trainer
  /** Resolves after `ms` or when the signal aborts; virtual time in the simulator. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

/** The key of rounds under encryption, as this organisation holds it. */
export interface EncryptionKey {
  readonly scheme: HomomorphicScheme
  /** Secret. */
  readonly share: unknown
}

export interface OrganisationOptions {
  readonly kernels: Kernels
  readonly log?: DriveLog
  /** Absent: no rounds under encryption. */
  readonly encryption?: EncryptionKey
  /** Kinds of log trained on, declared with each contribution, e.g. `zeek-tsv`. */
  readonly dataSources?: readonly string[]
  /** What all trainings together, and those for one purpose, may take from the organisation's data; absent: the limits stored last, at first none. */
  readonly privacyBudget?: Limits
  /** What trainings may be for that are taken part in; absent: anything. */
  readonly purposes?: readonly string[]
  /** Of which protections rounds are taken part in. Default: all that hide the update from the hub. */
  readonly accepts?: readonly Protection[]
  /** Default: all that need no trust in the hub. */
  readonly mechanisms?: readonly Mechanism[]
  /** Whether trainings without differential privacy are declined. Default true. */
  readonly requirePrivacy?: boolean
  /** Whether new models are tried on rows that were held out, and the hub is told how they did. Default true. */
  readonly validateModels?: boolean
  /** How long one poll may wait at the hub. Default 25 s. */
  readonly pollWaitMs?: number
  /** First and longest pause after the hub did not answer. Default 0.5 s and 5 s. */
  readonly backOffMs?: number
  readonly backOffMsMax?: number
  /** How long an envelope to the hub stays valid. Default 10 minutes: it is signed anew for each delivery. */
  readonly letterLifetimeMs?: number
}

export interface OrganisationContext {
  readonly ports: OrganisationPorts
  readonly identity: OrganisationIdentity
  readonly options: OrganisationOptions
  readonly budget: PrivacyBudget
}
