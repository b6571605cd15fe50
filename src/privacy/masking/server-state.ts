/** States, events and effects of the hub in a round of secure aggregation. All are JSON; vectors appear by digest. */

import type { Digest, OrganisationId } from '../../base/ids.ts'
import type { DriveEffect } from '../../base/machine.ts'
import type { Contradiction } from './blame.ts'
import type { MaskingContext } from './context.ts'
import type { AdvertisedKeys, Agreement, MaskedInput, MessageBody, MessageType, Reveal, Shares } from './messages.ts'
import type { RosterFacts } from './roster.ts'
import type { UnmaskOrder } from './vector.ts'

export type CollectingPhase = 'advertising' | 'sharing' | 'masking' | 'agreeing' | 'unmasking'

interface Opened {
  readonly context: MaskingContext
  readonly contextDigest: Digest
  /** Milliseconds that each phase waits for the slow. */
  readonly phaseMs: number
  /** Who said that it would send nothing more: nobody waits for them. */
  readonly gone: readonly OrganisationId[]
}

interface Rostered extends Opened {
  /** U1, sorted by organisation. */
  readonly members: readonly AdvertisedKeys[]
}

interface Shared extends Rostered {
  /** U2 with what each sent, sorted. */
  readonly shares: readonly Shares[]
}

interface Masked extends Shared {
  /** U3, sorted. */
  readonly survivors: readonly MaskedInput[]
}

export type AbandonReason =
  | 'too-few-keys'
  | 'too-few-shares'
  | 'too-few-vectors'
  | 'too-few-signatures'
  | 'too-few-reveals'
  | 'false-shares'
  | 'unmasking-failed'
  | 'cancelled'

export type ServerState =
  | { readonly phase: 'idle' }
  | (Opened & { readonly phase: 'advertising'; readonly keys: readonly AdvertisedKeys[] })
  | (Rostered & { readonly phase: 'sharing'; readonly shares: readonly Shares[] })
  | (Shared & { readonly phase: 'masking'; readonly vectors: readonly MaskedInput[] })
  | (Masked & { readonly phase: 'agreeing'; readonly agreements: readonly Agreement[] })
  | (Masked & {
      readonly phase: 'unmasking'
      readonly agreements: readonly Agreement[]
      readonly reveals: readonly Reveal[]
    })
  /** The sum is being computed, beside the machine. */
  | { readonly phase: 'summing'; readonly facts: RoundFacts; readonly participants: readonly OrganisationId[] }
  | { readonly phase: 'done'; readonly facts: RoundFacts; readonly sum: Digest; readonly added?: Added }
  | {
      readonly phase: 'abandoned'
      readonly reason: AbandonReason
      readonly detail: string
      /** Who dealt or revealed what does not fit, where that can be told. */
      readonly blamed: readonly OrganisationId[]
      readonly disputed?: readonly Contradiction[]
    }

export type ServerIn<Phase extends ServerState['phase']> = Extract<ServerState, { phase: Phase }>

/** What really was done, for the block: from the round itself, never from its configuration. */
export interface RoundFacts extends RosterFacts {
  readonly shared: number
  readonly survivors: readonly {
    readonly organisation: OrganisationId
    readonly weight: number
    readonly vector: Digest
  }[]
  readonly signatures: number
  readonly revealed: number
  /** Whose reveal or shares were false but not needed. */
  readonly blamed: readonly OrganisationId[]
  /** Absent where there is none. */
  readonly disputed?: readonly Contradiction[]
}

/** What whoever summed added to the sum, in the words of who asked for it: noise. */
export type Added = Readonly<Record<string, number | string>>

/** `at` is milliseconds since the epoch by the hub's clock. `from` is who signed the envelope; bodies come parsed. */
export type ServerEvent =
  /** `deadline`: when the last keys are taken, since everybody trains first. */
  | {
      readonly type: 'opened'
      readonly context: MaskingContext
      readonly phaseMs: number
      readonly deadline: number
      readonly at: number
    }
  | { readonly type: 'keys'; readonly from: OrganisationId; readonly keys: AdvertisedKeys; readonly at: number }
  | { readonly type: 'shares'; readonly from: OrganisationId; readonly shares: Shares; readonly at: number }
  /** The blob is stored and has the length of the round. */
  | { readonly type: 'vector'; readonly from: OrganisationId; readonly input: MaskedInput; readonly at: number }
  | { readonly type: 'agreement'; readonly from: OrganisationId; readonly agreement: Agreement; readonly at: number }
  | { readonly type: 'reveal'; readonly from: OrganisationId; readonly reveal: Reveal; readonly at: number }
  /** It left the federation, was removed, or declined the round. */
  | { readonly type: 'gone'; readonly organisation: OrganisationId; readonly at: number }
  | { readonly type: 'phase-over'; readonly phase: CollectingPhase; readonly at: number }
  | { readonly type: 'summed'; readonly sum: Digest; readonly added?: Added; readonly at: number }
  | { readonly type: 'summing-failed'; readonly message: string; readonly at: number }
  | { readonly type: 'cancelled'; readonly at: number }

export type ServerEventOf<Type extends ServerEvent['type']> = Extract<ServerEvent, { type: Type }>

type ToParticipant = 'masking-roster' | 'masking-inbox' | 'masking-survivors' | 'masking-quorum'

export type ServerEffect =
  | DriveEffect
  /** Tell the invited: they answer with `masking-keys`. */
  | { readonly type: 'open'; readonly to: readonly OrganisationId[]; readonly context: MaskingContext }
  | {
      [Type in ToParticipant & MessageType]: {
        readonly type: 'send'
        readonly to: readonly OrganisationId[]
        readonly message: Type
        readonly body: MessageBody<Type>
      }
    }[ToParticipant]
  /** Run `unmaskSum` over the stored vectors, store the sum, then dispatch `summed` or `summing-failed`. */
  | { readonly type: 'unmask'; readonly order: UnmaskOrder }
  | {
      readonly type: 'notify-abandoned'
      readonly to: readonly OrganisationId[]
      readonly reason: AbandonReason
      readonly detail: string
      /** Absent in effects stored by earlier versions. */
      readonly blamed?: readonly OrganisationId[]
      readonly disputed?: readonly Contradiction[]
    }
  /** The sum is stored, and this is how it came about. */
  | { readonly type: 'report-sum'; readonly facts: RoundFacts; readonly sum: Digest; readonly added?: Added }
