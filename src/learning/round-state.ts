/** States, events and effects of a round. All are JSON; an organisation's tensors appear only by digest. */

import type { ErrorCode } from '../base/errors.ts'
import type { Digest, OrganisationId, RoundId, TrainingId } from '../base/ids.ts'
import type { DriveEffect } from '../base/machine.ts'
import type { PublicKey } from '../base/signature.ts'
import type { TrainingConfig } from './config.ts'
import type { Contradiction } from '../privacy/masking/blame.ts'
import type { AbandonReason as MaskingEnd, RoundFacts as MaskingFacts } from '../privacy/masking/server-state.ts'
import type { AbandonReason as EncryptionEnd, EncryptedRoundFacts } from '../privacy/homomorphic/rounds/server-state.ts'
import type { RoundAnnouncement } from './messages.ts'
import type { RobustReport } from './robust/report.ts'
import type { StageRecord } from './stages.ts'

export interface Participant {
  readonly organisation: OrganisationId
  readonly publicKey: PublicKey
}

/** A contribution that counts: at most one an organisation. */
export interface AcceptedContribution {
  readonly organisation: OrganisationId
  readonly envelopeId: string
  readonly update: { readonly digest: Digest; readonly size: number }
  readonly sampleCount: number
  /** What it went through; absent in states stored by earlier versions. */
  readonly stages?: readonly StageRecord[]
  /** As the organisation declares them. */
  readonly metrics: Readonly<Record<string, number>>
  readonly dataSources: readonly string[]
}

export interface AggregateResult {
  readonly model: Digest
  readonly strategyState: Digest | null
  /** ||w_new - w_old||. */
  readonly normDifference: number
  /** ||delta|| of the weighted mean update. */
  readonly gradientNorm: number
  /** normDifference / ||w_old||. */
  readonly convergence: number
  readonly durationMs: number
  /** Of a robust rule; absent for the mean. */
  readonly robust?: RobustReport
  /** Share of updates that were not clipped, from 0 to 1, where the next clip follows from it. */
  readonly unclipped?: number
}

export type AbandonReason =
  | 'too-few-candidates'
  | 'too-few-participants'
  | 'too-few-contributions'
  | 'masking-failed'
  | 'aggregation-failed'
  | 'seal-failed'
  | 'cancelled'

/** Everything that stays the same, or only grows, from phase to phase. */
export interface RoundFacts {
  readonly roundId: RoundId
  readonly trainingId: TrainingId
  readonly round: number
  /** Model from which everybody trains: w_old. */
  readonly baseModel: Digest
  /** The model before that, w_prev; null in the first round. */
  readonly previousModel: Digest | null
  readonly strategyState: Digest | null
  readonly config: TrainingConfig
  readonly replyStream: string
  readonly openedAt: number
  readonly deadline: number
  /** Selected for this round, sorted; those who left are in it. */
  readonly participants: readonly Participant[]
  readonly left: readonly OrganisationId[]
  /** Sorted by organisation; with secure aggregation, the survivors, once the sum is there. */
  readonly contributions: readonly AcceptedContribution[]
  /** With secure aggregation: who has trained and brought its keys, sorted. */
  readonly joined?: readonly Joined[]
  /** With secure aggregation: what took the place of single updates, by bucket; mostly there is one. */
  readonly masked?: readonly MaskedSum[]
  /** Buckets that gave no sum. */
  readonly lostBuckets?: readonly number[]
  /** Who spoilt those; of buckets that gave one it is in `masked`. */
  readonly spoilt?: Spoilt
}

/** Shares and partial decryptions that were false; absent where there are none, and in what earlier versions stored. */
export interface Spoilt {
  readonly blamed?: readonly OrganisationId[]
  /** One of each pair lied, and which cannot be told. */
  readonly disputed?: readonly Contradiction[]
}

export interface Joined {
  readonly organisation: OrganisationId
  readonly dataSources: readonly string[]
}

/** The sum of all updates of a round, or of a bucket of it, and how it came about. */
export interface MaskedSum {
  readonly bucket: number
  readonly sum: Digest
  readonly facts: MaskingFacts | EncryptedRoundFacts
  /** What the hub added to the sum, where it adds the noise. */
  readonly noise?: NonNullable<StageRecord['parameters']>
}

export type RoundState =
  /** Before it is opened; departures and a cancellation that overtook the opening are kept. */
  | {
      readonly phase: 'unopened'
      readonly roundId: RoundId
      readonly left: readonly OrganisationId[]
      readonly cancelled: boolean
    }
  | (RoundFacts & { readonly phase: 'announced' })
  | (RoundFacts & { readonly phase: 'collecting' })
  | (RoundFacts & { readonly phase: 'aggregating' })
  | (RoundFacts & { readonly phase: 'sealing'; readonly aggregate: AggregateResult })
  | (RoundFacts & { readonly phase: 'broadcasting'; readonly aggregate: AggregateResult; readonly block: SealedBlock })
  | (RoundFacts & {
      readonly phase: 'done'
      readonly aggregate: AggregateResult
      readonly block: SealedBlock
      readonly endedAt: number
    })
  | (RoundFacts & {
      readonly phase: 'abandoned'
      readonly reason: AbandonReason
      readonly detail: string
      readonly endedAt: number
    })

export type RoundPhase = RoundState['phase']
export type RoundIn<Phase extends RoundPhase> = Phase extends RoundPhase ? Extract<RoundState, { phase: Phase }> : never
export type OpenedRound = Exclude<RoundState, { phase: 'unopened' }>

export interface SealedBlock {
  readonly height: number
  readonly hash: Digest
}

export interface RoundOpened {
  readonly type: 'round-opened'
  readonly roundId: RoundId
  readonly trainingId: TrainingId
  readonly round: number
  readonly baseModel: Digest
  readonly previousModel: Digest | null
  readonly strategyState: Digest | null
  readonly config: TrainingConfig
  readonly candidates: readonly Participant[]
  readonly replyStream: string
  readonly at: number
}

export interface ContributionReceived {
  readonly type: 'contribution-received'
  readonly organisation: OrganisationId
  readonly envelopeId: string
  readonly update: { readonly digest: Digest; readonly size: number }
  readonly baseModel: Digest
  readonly sampleCount: number
  readonly stages: readonly StageRecord[]
  readonly metrics: Readonly<Record<string, number>>
  readonly dataSources: readonly string[]
  readonly at: number
}

/** `at` is milliseconds since the epoch, by the hub's clock, everywhere. */
export type RoundEvent =
  | RoundOpened
  /** The announcements are in the mailboxes. */
  | { readonly type: 'announced'; readonly at: number }
  | ContributionReceived
  /** With secure aggregation: its keys have arrived. */
  | (Joined & { readonly type: 'joined'; readonly at: number })
  | (MaskedSum & { readonly type: 'unmasked'; readonly at: number })
  | (Spoilt & {
      readonly type: 'masking-ended'
      readonly bucket: number
      readonly reason: MaskingEnd | EncryptionEnd
      readonly detail: string
      readonly at: number
    })
  | { readonly type: 'deadline-passed'; readonly at: number }
  /** It left the federation, was removed, or declined the round. */
  | { readonly type: 'participant-left'; readonly organisation: OrganisationId; readonly at: number }
  | (AggregateResult & { readonly type: 'aggregated'; readonly at: number })
  | { readonly type: 'aggregation-failed'; readonly code: ErrorCode; readonly message: string; readonly at: number }
  | { readonly type: 'sealed'; readonly height: number; readonly hash: Digest; readonly at: number }
  | { readonly type: 'seal-failed'; readonly reason: string; readonly at: number }
  /** The block is in every member's mailbox. */
  | { readonly type: 'broadcast'; readonly at: number }
  | { readonly type: 'round-cancelled'; readonly at: number }

export type EventOf<Type extends RoundEvent['type']> = Extract<RoundEvent, { type: Type }>

interface Answered {
  readonly roundId: RoundId
  readonly round: number
  /** Who left or declined, sorted; absent in replies stored by earlier versions. */
  readonly left?: readonly OrganisationId[]
  readonly at: number
}

/** To the round's replyStream. */
export type RoundReply =
  | (SealedBlock &
      Answered & {
        readonly type: 'round-finished'
        readonly baseModel: Digest
        readonly model: Digest
        readonly strategyState: Digest | null
        readonly unclipped?: number
      })
  | (Answered & {
      readonly type: 'round-abandoned'
      readonly reason: AbandonReason
      readonly detail: string
    })

export type RoundEffect =
  | DriveEffect
  /** Post the announcement to each; then dispatch `announced` to the round. */
  | { readonly type: 'announce'; readonly to: readonly OrganisationId[]; readonly announcement: RoundAnnouncement }
  /** Run aggregate.ts over these, in this order; then dispatch `aggregated` or, if retrying cannot help, `aggregation-failed`. */
  | {
      readonly type: 'aggregate'
      readonly roundId: RoundId
      readonly round: number
      readonly baseModel: Digest
      readonly previousModel: Digest | null
      readonly strategyState: Digest | null
      readonly config: TrainingConfig
      readonly contributions: readonly AcceptedContribution[]
      readonly masked?: readonly MaskedSum[]
    }
  /** Dispatch `opened` to `unmasking/<maskingId>`, with the context that follows from these. */
  | {
      readonly type: 'open-masking'
      readonly maskingId: RoundId
      /** Of what the round asks for (round-task.ts). */
      readonly task: Digest
      readonly config: TrainingConfig
      readonly invited: readonly Participant[]
      readonly deadline: number
    }
  /** The ledger mails the block itself; this asks to dispatch `broadcast` to the round once that is so. */
  | {
      readonly type: 'confirm-broadcast'
      readonly roundId: RoundId
      readonly height: number
      readonly hash: Digest
      readonly model: Digest
    }
  | {
      readonly type: 'notify-abandoned'
      readonly to: readonly OrganisationId[]
      readonly roundId: RoundId
      readonly reason: AbandonReason
    }
