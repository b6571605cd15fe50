/** What a round says in the ledger: ledger document sections 3.5 and 6.1, with participants and parent for lineage. */

import { canonicalJson, type Json } from '../base/canonical.ts'
import { digestOf } from '../base/hash.ts'
import type { Digest, RoundId, TrainingId } from '../base/ids.ts'
import type { BlockContent } from '../ledger/block.ts'
import type { TrainingConfig } from './config.ts'
import { aggregationMetrics } from './convergence.ts'
import type { AggregateResult, RoundFacts } from './round-state.ts'
import { type Guarantee, guaranteeOf } from './privacy-config.ts'
import { expectedStages, type StageRecord } from './stages.ts'

/** A leaf holds 65,535 bytes, and participants and signatures need most of them. */
const CONFIG_CHARACTERS_MAX = 4096
const DATA_SOURCES_MAX = 32

/** `v1.0-init`, `v1.1-round-1`, ...: ledger document section 6.2. */
export function modelVersion(round: number): string {
  return round === 0 ? 'v1.0-init' : `v1.${round}-round-${round}`
}

/** Id of a round: also the name of its stream, `round/<id>`. */
export function roundIdOf(trainingId: TrainingId, round: number): RoundId {
  return `${trainingId}-${round}` as RoundId
}

/** The training of a round, from its id. */
export function trainingOf(roundId: RoundId, round: number): TrainingId {
  return roundId.slice(0, -`-${round}`.length) as TrainingId
}

/** The configuration itself, or its digest when it would crowd out the rest of the leaf. */
export function recordedConfig(config: TrainingConfig): Json {
  return canonicalJson(config).length <= CONFIG_CHARACTERS_MAX ? config : { digest: digestOf(config) }
}

/**
 * What stages prove of an organisation that has been through them in so many rounds of a training. `epsilon` and `delta`
 * are null where no noise was added: then there is no guarantee to state. Where there is one, `unit` says of whom, and
 * `against` against whom, unless it is everybody.
 */
export function privacyStatement(stages: readonly StageRecord[], rounds: number): Json {
  const clipped = stages.find(({ stage, applied }) => stage === 'clip' && applied)
  const guarantee = guaranteeOf(stages, rounds)
  return {
    epsilon: guarantee?.epsilon ?? null,
    delta: guarantee?.delta ?? null,
    ...(guarantee === null ? {} : { unit: guarantee.unit, rounds, ...againstSaid(guarantee) }),
    clipping_norm: guarantee?.clip ?? clipped?.norm_max ?? null,
    stages: stages.map(({ stage, applied, norm_max, parameters }) => ({
      ...{ stage, applied, norm_max },
      ...(parameters === undefined ? {} : { parameters }),
    })),
  }
}

/** Nothing where it holds against everybody. */
function againstSaid({ against }: Guarantee): { against?: string } {
  if (against === undefined) return {}
  if (against === 'all-but-hub') return { against: 'everybody but the hub, which adds the noise' }
  return { against: `hub with up to ${against.corruptMax} of ${against.invited} organisations` }
}

/** What a training of this configuration will be able to state after so many rounds; nothing before the first. */
export function privacyParams(config: TrainingConfig, rounds = 0): Json {
  const later = config.privacy !== null || config.protection !== 'plain'
  return privacyStatement(rounds === 0 && later ? [] : expectedStages(config), rounds)
}

/** The first block of a training: the model before anybody has trained it. */
export function initialBlockContent(
  trainingId: TrainingId,
  config: TrainingConfig,
  initialModel: Digest,
): BlockContent {
  return {
    model_hash: initialModel,
    aggregation_metrics: { round: 0, num_clients: 0, convergence: 0, norm_difference: 0, gradient_norm: 0 },
    provenance: {
      model_version: modelVersion(0),
      parent_model: null,
      training_id: trainingId,
      round_id: roundIdOf(trainingId, 0),
      training_config: recordedConfig(config),
      data_sources: [],
      participants: [],
      privacy_params: privacyParams(config),
    },
  }
}

/** The block of a round whose contributions were aggregated to `result.model`. */
export function roundBlockContent(round: RoundFacts, result: AggregateResult): BlockContent {
  return {
    model_hash: result.model,
    aggregation_metrics: aggregationMetrics(round.round, round.contributions, result),
    provenance: {
      model_version: modelVersion(round.round),
      parent_model: round.baseModel,
      training_id: round.trainingId,
      round_id: round.roundId,
      training_config: recordedConfig(round.config),
      data_sources: dataSources(round),
      participants: round.contributions.map(({ organisation, sampleCount, update }) => ({
        org_id: organisation,
        sample_count: sampleCount,
        contribution: update.digest,
      })),
      privacy_params: privacyStatement(stagesOf(round), releasesBy(round.round, round.config)),
    },
  }
}

/** Rounds are numbered from any number on, and there are no more of them than the training has. */
export function releasesBy(round: number, { rounds }: TrainingConfig): number {
  return Math.min(round, rounds)
}

/** As the contributions say themselves: a round takes only those that say the same. */
export function stagesOf({
  contributions,
  config,
}: Pick<RoundFacts, 'contributions' | 'config'>): readonly StageRecord[] {
  return contributions[0]?.stages ?? expectedStages(config)
}

/** Of what kinds of log the updates were made, as declared; cut off where strangers could fill up the leaf with them. */
function dataSources({ contributions }: RoundFacts): string[] {
  const all = [...new Set(contributions.flatMap((contribution) => contribution.dataSources))].toSorted()
  if (all.length <= DATA_SOURCES_MAX) return all
  return [...all.slice(0, DATA_SOURCES_MAX), `${all.length - DATA_SOURCES_MAX} more`]
}
