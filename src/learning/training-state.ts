/** States, events and effects of a training. */

import type { Digest, OrganisationId, TrainingId } from '../base/ids.ts'
import type { DriveEffect } from '../base/machine.ts'
import type { TrainingConfig } from './config.ts'
import type { Participant, RoundReply } from './round-state.ts'

export interface TrainingFacts {
  readonly trainingId: TrainingId
  readonly config: TrainingConfig
  readonly startedAt: number
  /** Members of the federation, sorted. */
  readonly organisations: readonly Participant[]
  /** Members that a round in which updates are hidden need not wait for, sorted; absent as long as nobody has declined one. */
  readonly declined?: readonly OrganisationId[]
  readonly initialModel: Digest
  /** The newest model, from which the next round starts, and the round that made it (0 = the initial one). */
  readonly model: Digest
  readonly modelRound: number
  /** The one before it; null before the first finished round. */
  readonly previousModel: Digest | null
  readonly strategyState: Digest | null
  /** The last round that was opened; one less than the first before that. */
  readonly round: number
  /** The last round that will be opened. */
  readonly lastRound: number
  readonly roundsFinished: number
  /** Of the next round, where the clip follows the updates; absent before the first has finished. */
  readonly clip?: number
  readonly abandonedInRow: number
}

export type TrainingState =
  | { readonly phase: 'unstarted'; readonly trainingId: TrainingId }
  | (TrainingFacts & { readonly phase: 'sealing-initial' })
  | (TrainingFacts & { readonly phase: 'running' })
  | (TrainingFacts & { readonly phase: 'done'; readonly endedAt: number })
  | (TrainingFacts & { readonly phase: 'stopped'; readonly endedAt: number })
  | (TrainingFacts & { readonly phase: 'failed'; readonly reason: string; readonly endedAt: number })

export type TrainingIn<Phase extends TrainingState['phase']> = Phase extends string
  ? Extract<TrainingState, { phase: Phase }>
  : never
export type StartedTraining = Exclude<TrainingState, { phase: 'unstarted' }>

export interface TrainingStarted {
  readonly type: 'training-started'
  readonly trainingId: TrainingId
  readonly config: TrainingConfig
  readonly initialModel: Digest
  /** True = seal the initial model as `v1.0-init` first; false if the ledger holds it already. */
  readonly sealInitialModel: boolean
  /** Number of the first round; 1 if absent. `config.rounds` counts from it. */
  readonly firstRound?: number
  readonly organisations: readonly Participant[]
  readonly at: number
}

/** `at` is milliseconds since the epoch, by the hub's clock, everywhere. */
export type TrainingEvent =
  | TrainingStarted
  | { readonly type: 'sealed'; readonly height: number; readonly hash: Digest; readonly at: number }
  | { readonly type: 'seal-failed'; readonly reason: string; readonly at: number }
  | RoundReply
  /** Registered, or its key was rotated: a candidate from the next round on. */
  | {
      readonly type: 'organisation-joined'
      readonly organisation: OrganisationId
      readonly publicKey: string
      readonly at: number
    }
  /** Left or was removed. */
  | { readonly type: 'organisation-left'; readonly organisation: OrganisationId; readonly at: number }
  | { readonly type: 'training-stopped'; readonly at: number }

export type TrainingEventOf<Type extends TrainingEvent['type']> = Extract<TrainingEvent, { type: Type }>

/** Rounds, the ledger and this stream are reached by dispatch; nothing else is asked of the shell. */
export type TrainingEffect = Extract<DriveEffect, { type: 'dispatch' }>
