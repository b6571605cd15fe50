/** States, events and effects of an organisation in a round under encryption. All are JSON. */

import type { Digest, OrganisationId } from '../../../base/ids.ts'
import type { DriveEffect } from '../../../base/machine.ts'
import type { SecretKey } from '../../../base/signature.ts'
import type { EncryptedFacts, EncryptionContext } from './context.ts'
import type { ContributionList, Join, MessageBody, MessageType } from './messages.ts'

interface Opened {
  readonly context: EncryptionContext
  readonly weight: number
  readonly rounding: string
  /** The randomness of ciphertexts and proof comes out of it: base64url of 32 bytes. Secret. */
  readonly seed: string
}

interface Rostered extends Opened {
  readonly members: readonly Join[]
}

interface Submitted extends Rostered {
  readonly vector: Digest
}

interface Listed extends Submitted {
  /** The one list of this round. */
  readonly list: ContributionList
}

/** What an organisation knows of the round that it finished; nothing of it is secret. */
export interface ClientReport {
  readonly facts: EncryptedFacts
  readonly weight: number
  readonly vector: Digest
  /** Of the list that it signed. */
  readonly list: Digest
  readonly sum: Digest
}

export type ClientState =
  | { readonly phase: 'idle' }
  /** Its weight is on the way. */
  | (Opened & { readonly phase: 'joined' })
  /** The update is being encrypted, beside the machine. */
  | (Rostered & { readonly phase: 'encrypting' })
  | (Submitted & { readonly phase: 'submitted' })
  /** The sum of the listed contributions is being computed, beside the machine. */
  | (Listed & { readonly phase: 'checking' })
  | (Listed & { readonly phase: 'signed' })
  /** The partial decryption is being computed, beside the machine. */
  | (Listed & { readonly phase: 'opening' })
  | { readonly phase: 'given'; readonly report: ClientReport; readonly partial: Digest }
  | { readonly phase: 'abandoned'; readonly reason: string }

export type ClientIn<Phase extends ClientState['phase']> = Extract<ClientState, { phase: Phase }>

/** `at` is milliseconds since the epoch by the organisation's own clock. Bodies come parsed (parseMessage). */
export type ClientEvent =
  /** `seed` is fresh from the operating system; `rounding` names the draws of the stochastic rounding. */
  | {
      readonly type: 'opened'
      readonly context: EncryptionContext
      readonly weight: number
      readonly rounding: string
      readonly seed: string
      readonly at: number
    }
  | { readonly type: 'roster'; readonly members: MessageBody<'encryption-roster'>; readonly at: number }
  | { readonly type: 'encrypted'; readonly vector: Digest; readonly at: number }
  | { readonly type: 'list'; readonly list: ContributionList; readonly at: number }
  /** What the listed contributions, each checked to be one well-formed contribution, really add up to. */
  | { readonly type: 'summed'; readonly sum: Digest; readonly at: number }
  | { readonly type: 'quorum'; readonly agreements: MessageBody<'encryption-quorum'>; readonly at: number }
  | { readonly type: 'partially-opened'; readonly partial: Digest; readonly at: number }
  /** By the hub's word, the own clock, or because local work failed. */
  | { readonly type: 'abandoned'; readonly reason: string; readonly at: number }

export type ClientEventOf<Type extends ClientEvent['type']> = Extract<ClientEvent, { type: Type }>

type Sent = MessageType & ('encryption-join' | 'encryption-contribution' | 'encryption-agreement')

export type ClientEffect =
  | DriveEffect
  | { [Type in Sent]: { readonly type: 'send'; readonly message: Type; readonly body: MessageBody<Type> } }[Sent]
  /** Quantise and encrypt the stored update, store the vector, then dispatch `encrypted`. `seed` is secret. */
  | {
      readonly type: 'encrypt'
      readonly weight: number
      readonly weightMax: number
      readonly clip: number
      readonly rounding: string
      readonly seed: string
      /** What the encryption is for. */
      readonly statement: Digest
    }
  /**
   * Fetch each vector, `check` that it is one contribution of `length` for its statement, add them, store the sum, dispatch
   * `summed`.
   */
  | {
      readonly type: 'sum'
      readonly vectors: readonly Digest[]
      readonly statements: readonly Digest[]
      readonly length: number
    }
  /** `partialDecrypt` the stored sum with the own share for this statement, store it, dispatch `partially-opened`. */
  | { readonly type: 'open-partially'; readonly sum: Digest; readonly statement: Digest; readonly seed: string }
  /** Note the report where blocks are judged, and only then deliver: the hub can go on as soon as it has enough. */
  | { readonly type: 'give'; readonly report: ClientReport; readonly body: MessageBody<'encryption-partial'> }

export interface ClientOptions {
  readonly organisation: OrganisationId
  /** The identity key. The share of the decryption key is not the machine's: it never leaves the worker. */
  readonly secret: SecretKey
}
