/** States, events and effects of a participant in a round of secure aggregation. All are JSON. */

import type { Digest, OrganisationId } from '../../base/ids.ts'
import type { DriveEffect } from '../../base/machine.ts'
import type { SecretKey } from '../../base/signature.ts'
import type { MaskingContext } from './context.ts'
import type { AdvertisedKeys, Inbox, MaskedInput, MessageBody, MessageType } from './messages.ts'
import type { RosterFacts } from './roster.ts'
import type { MaskOrder } from './vector.ts'

interface Opened {
  readonly context: MaskingContext
  readonly weight: number
  readonly rounding: string
  /** Everything secret comes out of it: base64url of 32 bytes. Gone from the states after the shares are revealed. */
  readonly seed: string
}

interface Rostered extends Opened {
  readonly members: readonly AdvertisedKeys[]
  /** Drawn by itself, indices into the roster. */
  readonly neighbours: readonly number[]
}

interface Inboxed extends Rostered {
  readonly inbox: Inbox
}

interface Submitted extends Inboxed {
  readonly vector: Digest
}

interface Signed extends Submitted {
  readonly survivors: readonly OrganisationId[]
  /** Digest of the one survivor set that this participant signs in this round. */
  readonly signed: Digest
}

export type ClientState =
  | { readonly phase: 'idle' }
  /** Round 0 of Bonawitz et al. 2017, Figure 4: keys are on their way. */
  | (Opened & { readonly phase: 'advertised' })
  /** Round 1: shares are on their way. */
  | (Rostered & { readonly phase: 'shared' })
  /** Round 2: the vector is being masked, beside the machine. */
  | (Inboxed & { readonly phase: 'masking' })
  | (Submitted & { readonly phase: 'masked' })
  /** Round 3: one survivor set is signed. */
  | (Signed & { readonly phase: 'signed' })
  /** Round 4: shares are revealed; every secret is forgotten. */
  | { readonly phase: 'revealed'; readonly report: ClientReport }
  | { readonly phase: 'abandoned'; readonly reason: string }

/** What a participant knows of the round that it finished; nothing of it is secret. */
export interface ClientReport {
  readonly facts: RosterFacts
  readonly weight: number
  readonly vector: Digest
  /** Digest of the survivors that it signed. */
  readonly signed: Digest
}

export type ClientIn<Phase extends ClientState['phase']> = Extract<ClientState, { phase: Phase }>

/** `at` is milliseconds since the epoch by the participant's own clock. Bodies come parsed (parseMessage). */
export type ClientEvent =
  /**
   * `seed` is fresh from the operating system for each event. `rounding` names the draws of the stochastic rounding, and
   * need not be secret: the same name gives the same integers, so that a round can be computed again.
   */
  | {
      readonly type: 'opened'
      readonly context: MaskingContext
      readonly weight: number
      readonly rounding: string
      readonly seed: string
      readonly at: number
    }
  | { readonly type: 'roster'; readonly members: MessageBody<'masking-roster'>; readonly at: number }
  | { readonly type: 'inbox'; readonly inbox: Inbox; readonly at: number }
  /** The order was carried out; the vector is stored under this digest. */
  | { readonly type: 'vector-masked'; readonly vector: Digest; readonly at: number }
  | { readonly type: 'survivors'; readonly survivors: readonly MaskedInput[]; readonly at: number }
  | { readonly type: 'quorum'; readonly agreements: MessageBody<'masking-quorum'>; readonly at: number }
  /** By the hub's word, the own clock, or because local work failed. */
  | { readonly type: 'abandoned'; readonly reason: string; readonly at: number }

export type ClientEventOf<Type extends ClientEvent['type']> = Extract<ClientEvent, { type: Type }>

export type ClientEffect =
  | DriveEffect
  /** Deliver to the hub. */
  | {
      [Type in Exclude<MessageType, 'masking-reveal'>]: {
        readonly type: 'send'
        readonly message: Type
        readonly body: MessageBody<Type>
      }
    }[Exclude<MessageType, 'masking-reveal'>]
  /** Note the report where blocks are judged, and only then deliver the shares: the hub can go on as soon as it has them. */
  | { readonly type: 'reveal'; readonly report: ClientReport; readonly body: MessageBody<'masking-reveal'> }
  /** Run `maskUpdate` over the stored update, store the vector, then dispatch `vector-masked`. */
  | { readonly type: 'mask'; readonly order: MaskOrder }

export interface ClientOptions {
  readonly organisation: OrganisationId
  /** The identity key. */
  readonly secret: SecretKey
}
