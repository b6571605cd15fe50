/** Who a hub is and what it is given, shared by the files of this folder. */

import type { FederationId } from '../../base/ids.ts'
import type { PublicKey, SecretKey } from '../../base/signature.ts'
import type { Kernels } from '../../models/kernels/kernels.ts'
import type { HomomorphicScheme } from '../../privacy/homomorphic/scheme.ts'
import type { DriveLog } from '../drive.ts'
import type { Ports } from '../ports.ts'

export interface HubIdentity {
  readonly federation: FederationId
  /** Signs the hub's envelopes. */
  readonly secret: SecretKey
  /** Signs checkpoints; another key, so that a stolen envelope key never forges a ledger. */
  readonly ledgerSecret: SecretKey
}

export interface HubOptions {
  readonly kernels: Kernels
  readonly log?: DriveLog
  /** The public parameters of the key under which rounds may be encrypted, opened when first needed; absent: no such rounds. */
  readonly encryption?: () => Promise<HomomorphicScheme>
  /** How long a letter of the hub stays valid in a mailbox. Default 30 days: an organisation may be away. */
  readonly letterLifetimeMs?: number
  /** Largest update that is accepted. Default 2 GiB. */
  readonly updateBytesMax?: number
  /** Threads that a robust rule over much may compute on; the model is the same with any number. Default 1. */
  readonly aggregationThreads?: number
  /** Elements of one tensor held in memory for each update while aggregating. */
  readonly chunkElements?: number
}

export interface HubContext {
  readonly ports: Ports
  readonly identity: HubIdentity
  readonly options: HubOptions
  /** Public half of `identity.secret`. */
  readonly publicKey: PublicKey
}

export const LETTER_LIFETIME_MS = 30 * 86_400_000
export const UPDATE_BYTES_MAX = 2 ** 31
export const INLINE_BYTES_MAX = 1 << 20
