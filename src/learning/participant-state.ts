/** States, events and effects of an organisation's part in a round. */

import type { ErrorCode } from '../base/errors.ts'
import type { Digest, OrganisationId, RoundId, TrainingId } from '../base/ids.ts'
import type { DriveEffect } from '../base/machine.ts'
import type { Block } from '../ledger/block.ts'
import type { TrainingConfig } from './config.ts'
import type { Protection } from './masking-config.ts'
import type { Mechanism } from './mechanisms.ts'
import type { ContributionBody, RoundAnnouncement } from './messages.ts'
import type { StageRecord } from './stages.ts'

/** What this organisation sent, and therefore what it will vouch for. */
export interface SentContribution {
  readonly update: { readonly digest: Digest; readonly size: number }
  readonly sampleCount: number
  /** What it went through here; absent in states stored by earlier versions. */
  readonly stages?: readonly StageRecord[]
  /** The coordinate beside the update, where the clip follows the updates. */
  readonly count?: number
  /** With secure aggregation: digest of the survivors that it signed, in its bucket. */
  readonly survivors?: Digest
}

/** A block that was not signed, and why. */
export interface Refusal {
  readonly hash: string
  readonly reason: RefusalReason
  readonly at: number
}

/** Why a participant does not sign a proposed block. */
export type RefusalReason =
  | 'malformed'
  | 'hash-wrong'
  | 'other-round'
  | 'other-base-model'
  | 'other-config'
  | 'not-listed'
  | 'other-contribution'
  | 'other-sample-count'
  | 'other-privacy-params'
  | 'other-report'
  | 'other-participants'
  | 'second-block'
  | 'nothing-sent'
  | 'too-late'

interface AnnouncedFacts {
  readonly roundId: RoundId
  readonly announcement: RoundAnnouncement
  readonly refusals: readonly Refusal[]
}

export type ParticipantState =
  /** No announcement has been seen. */
  | { readonly phase: 'idle'; readonly roundId: RoundId }
  | (AnnouncedFacts & { readonly phase: 'training' })
  /** What was trained stays here; the stream `masking/<roundId>` makes of it what may leave. */
  | (AnnouncedFacts & { readonly phase: 'masking'; readonly trained: SentContribution })
  /** The contribution is under way; the hub may have counted it already. */
  | (AnnouncedFacts & { readonly phase: 'contributing'; readonly sent: SentContribution })
  | (AnnouncedFacts & { readonly phase: 'contributed'; readonly sent: SentContribution })
  | (AnnouncedFacts & { readonly phase: 'signing'; readonly sent: SentContribution; readonly block: SignedBlock })
  | (AnnouncedFacts & { readonly phase: 'signed'; readonly sent: SentContribution; readonly block: SignedBlock })
  | { readonly phase: 'abandoned'; readonly roundId: RoundId; readonly reason: string; readonly at: number }

export interface SignedBlock {
  readonly height: number
  readonly hash: Digest
}

export type ParticipantIn<Phase extends ParticipantState['phase']> = Phase extends string
  ? Extract<ParticipantState, { phase: Phase }>
  : never

/** `at` is milliseconds since the epoch, by the organisation's own clock, everywhere. */
export type ParticipantEvent =
  | { readonly type: 'announced'; readonly announcement: RoundAnnouncement; readonly at: number }
  /** The contribution is stored: its blob here, `stages` as contribution.ts recorded them. */
  | {
      readonly type: 'trained'
      readonly update: { readonly digest: Digest; readonly size: number }
      readonly sampleCount: number
      readonly stages: readonly StageRecord[]
      readonly count?: number
      readonly metrics: Readonly<Record<string, number>>
      readonly dataSources: readonly string[]
      readonly at: number
    }
  /** There is no data, or training diverged: retrying cannot help. */
  | { readonly type: 'training-failed'; readonly code: ErrorCode; readonly message: string; readonly at: number }
  /** The hub acknowledged, or says that it has this very contribution (`already-submitted` with our digest). */
  | { readonly type: 'contributed'; readonly at: number }
  | { readonly type: 'contribution-refused'; readonly code: ErrorCode; readonly message: string; readonly at: number }
  /**
   * The masked vector is with the hub, and a quorum signed the survivors that this organisation signed. It comes before
   * the shares leave that let the hub make a block of it.
   */
  | {
      readonly type: 'masked'
      readonly update: { readonly digest: Digest; readonly size: number }
      readonly sampleCount: number
      readonly stages: readonly StageRecord[]
      readonly survivors: Digest
      readonly at: number
    }
  /** Its keys were not made, or not taken: nothing of it is at the hub. */
  | { readonly type: 'masking-failed'; readonly code: ErrorCode; readonly message: string; readonly at: number }
  /** `block` as it came from the hub. */
  | { readonly type: 'proposal'; readonly id: string; readonly block: unknown; readonly at: number }
  /** Our signature has been delivered. */
  | { readonly type: 'block-signed'; readonly at: number }
  /** The hub says so. */
  | { readonly type: 'abandoned'; readonly reason: string; readonly at: number }
  /** Own timer: whoever has not trained by now would be late. */
  | { readonly type: 'deadline-passed'; readonly at: number }
  /** Own timer: no block came. */
  | { readonly type: 'gave-up'; readonly at: number }

export type ParticipantEventOf<Type extends ParticipantEvent['type']> = Extract<ParticipantEvent, { type: Type }>

export type ParticipantEffect =
  | DriveEffect
  /** Train from `baseModel`, run contribution.ts, store the blob; then dispatch `trained` or `training-failed`. */
  | {
      readonly type: 'train'
      readonly roundId: RoundId
      readonly round: number
      readonly baseModel: Digest
      readonly config: TrainingConfig
      readonly trainingId: TrainingId
      /** Seed of local training: differs by round and organisation, the same in every run of one configuration. */
      readonly seed: string
    }
  /** Upload the blob, deliver the envelope `contribution`; then dispatch `contributed` or `contribution-refused`. */
  | { readonly type: 'contribute'; readonly roundId: RoundId; readonly body: ContributionBody }
  /** Dispatch `opened` to `masking/<maskingId>` with a fresh seed, or `masking-failed` to this stream. */
  | {
      readonly type: 'open-masking'
      readonly roundId: RoundId
      /** Of its bucket. */
      readonly maskingId: RoundId
      readonly announcement: RoundAnnouncement
      readonly sampleCount: number
      /** Names the draws of the stochastic rounding. */
      readonly rounding: string
    }
  /** Dispatch `abandoned` to the machine of this protection, opened or not yet: its secrets are of no further use. */
  | {
      readonly type: 'close-masking'
      readonly maskingId: RoundId
      readonly protection: Protection
      readonly reason: string
    }
  /** Nothing that this round stored is read any more: remove it. */
  | { readonly type: 'forget-blobs'; readonly roundId: RoundId }
  /** Deliver an envelope `round-declined`. */
  | { readonly type: 'decline'; readonly roundId: RoundId; readonly reason: string }
  /** Sign (ledger signBlock), deliver the envelope `block-signature`; then dispatch `block-signed`. */
  | { readonly type: 'sign-block'; readonly id: string; readonly block: Block }

export interface ParticipantOptions {
  readonly organisation: OrganisationId
  /** Rounds of any other protection are declined. */
  readonly accepts: readonly Protection[]
  /** Rounds whose noise for whole organisations is added otherwise are declined. */
  readonly mechanisms: readonly Mechanism[]
  /** Rounds without differential privacy are declined, but for those of response policies: they learn from nobody's data. */
  readonly requirePrivacy: boolean
  /** Rounds of trainings for any other purpose are declined; absent = none is. */
  readonly purposes?: readonly string[]
}
