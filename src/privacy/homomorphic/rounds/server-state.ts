/** States, events and effects of the hub in a round under encryption. All are JSON; vectors appear by digest. */

import type { Digest, OrganisationId } from '../../../base/ids.ts'
import type { DriveEffect } from '../../../base/machine.ts'
import type { NotOpened } from '../scheme.ts'
import type { EncryptedFacts, EncryptionContext } from './context.ts'
import type { Agreement, Contribution, ContributionList, Join, MessageBody, MessageType, Partial } from './messages.ts'

export type CollectingPhase = 'joining' | 'gathering' | 'agreeing' | 'opening'

interface Opened {
  readonly context: EncryptionContext
  /** Milliseconds that each phase after the first waits for the slow. */
  readonly phaseMs: number
  /** Who said that it would send nothing more: nobody waits for them. */
  readonly gone: readonly OrganisationId[]
}

interface Rostered extends Opened {
  /** Sorted by organisation, as all that follow. */
  readonly members: readonly Join[]
}

interface Listed extends Rostered {
  readonly list: ContributionList
}

export type AbandonReason =
  | 'too-few-joined'
  | 'too-few-contributions'
  | 'too-few-signatures'
  | NotOpened
  | 'opening-failed'
  | 'cancelled'

export type ServerState =
  | { readonly phase: 'idle' }
  | (Opened & { readonly phase: 'joining'; readonly joins: readonly Join[] })
  | (Rostered & { readonly phase: 'gathering'; readonly contributions: readonly Contribution[] })
  /** The sum is being computed, beside the machine. */
  | (Rostered & { readonly phase: 'summing'; readonly contributions: readonly Contribution[] })
  | (Listed & { readonly phase: 'agreeing'; readonly agreements: readonly Agreement[] })
  | (Listed & {
      readonly phase: 'opening'
      readonly agreements: readonly Agreement[]
      readonly partials: readonly Partial[]
    })
  /** Proofs are being verified and the sum opened, beside the machine. */
  | (Listed & {
      readonly phase: 'combining'
      readonly agreements: readonly Agreement[]
      readonly partials: readonly Partial[]
    })
  | { readonly phase: 'done'; readonly facts: EncryptedRoundFacts; readonly sums: Digest }
  | {
      readonly phase: 'abandoned'
      readonly reason: AbandonReason
      readonly detail: string
      /** Whose partial decryption was wrong. */
      readonly blamed: readonly OrganisationId[]
    }

export type ServerIn<Phase extends ServerState['phase']> = Extract<ServerState, { phase: Phase }>

/** What really was done, for the block: from the round itself, never from its configuration. */
export interface EncryptedRoundFacts extends EncryptedFacts {
  readonly survivors: readonly {
    readonly organisation: OrganisationId
    readonly weight: number
    readonly vector: Digest
  }[]
  readonly sum: Digest
  readonly signatures: number
  /** Whose partial decryptions opened the sum, and whose were wrong. */
  readonly opened: readonly OrganisationId[]
  readonly blamed: readonly OrganisationId[]
}

/** `at` is milliseconds since the epoch by the hub's clock. `from` is who signed the envelope; bodies come parsed. */
export type ServerEvent =
  /** `deadline`: when the last weights are taken, since everybody trains first. */
  | {
      readonly type: 'opened'
      readonly context: EncryptionContext
      readonly phaseMs: number
      readonly deadline: number
      readonly at: number
    }
  | { readonly type: 'joined'; readonly from: OrganisationId; readonly join: Join; readonly at: number }
  /** The blob is stored, and `check` has found one contribution of the round's length in it. */
  | {
      readonly type: 'contribution'
      readonly from: OrganisationId
      readonly contribution: Contribution
      readonly at: number
    }
  | { readonly type: 'summed'; readonly sum: Digest; readonly at: number }
  | { readonly type: 'agreement'; readonly from: OrganisationId; readonly agreement: Agreement; readonly at: number }
  /** The blob is stored. */
  | { readonly type: 'partial'; readonly from: OrganisationId; readonly partial: Partial; readonly at: number }
  | {
      readonly type: 'combined'
      readonly sums: Digest
      readonly used: readonly OrganisationId[]
      readonly blamed: readonly OrganisationId[]
      readonly at: number
    }
  | {
      readonly type: 'not-combined'
      readonly reason: NotOpened
      readonly blamed: readonly OrganisationId[]
      readonly at: number
    }
  /** The sum could not be computed or opened, and trying again cannot help. */
  | { readonly type: 'work-failed'; readonly message: string; readonly at: number }
  | { readonly type: 'phase-over'; readonly phase: CollectingPhase; readonly at: number }
  /** It left the federation, was removed, or declined the round. */
  | { readonly type: 'gone'; readonly organisation: OrganisationId; readonly at: number }
  | { readonly type: 'cancelled'; readonly at: number }

export type ServerEventOf<Type extends ServerEvent['type']> = Extract<ServerEvent, { type: Type }>

type ToOrganisations = MessageType & ('encryption-roster' | 'encryption-list' | 'encryption-quorum')

export type ServerEffect =
  | DriveEffect
  | {
      [Type in ToOrganisations]: {
        readonly type: 'send'
        readonly to: readonly OrganisationId[]
        readonly message: Type
        readonly body: MessageBody<Type>
      }
    }[ToOrganisations]
  /** Add the stored vectors, store the sum, then dispatch `summed`. */
  | { readonly type: 'sum'; readonly vectors: readonly Digest[] }
  /** `combine` the stored partial decryptions of the sum, store the integers, dispatch `combined` or `not-combined`. */
  | {
      readonly type: 'combine'
      readonly sum: Digest
      readonly statement: Digest
      readonly partials: readonly Partial[]
    }
  | { readonly type: 'report-sum'; readonly facts: EncryptedRoundFacts; readonly sums: Digest }
  | {
      readonly type: 'notify-abandoned'
      readonly to: readonly OrganisationId[]
      readonly reason: AbandonReason
      readonly detail: string
      /** Absent in effects stored by earlier versions. */
      readonly blamed?: readonly OrganisationId[]
    }
