/** What a round says in the ledger: ledger document sections 3.5 and 6.1, with participants and parent for lineage. */

import { canonicalJson, type Json } from '../base/canonical.ts'
import { digestOf } from '../base/hash.ts'
import type { Digest, RoundId, TrainingId } from '../base/ids.ts'
import type { BlockContent } from '../ledger/block.ts'
import type { TrainingConfig } from './config.ts'
import { aggregationMetrics } from './convergence.ts'
import type { AggregateResult, RoundFacts } from './round-state.ts'
import { expectedStages } from './stages.ts'

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

/** The configuration itself, or its digest when it would crowd out the rest of the leaf. */
export function recordedConfig(config: TrainingConfig): Json {
  return canonicalJson(config).length <= CONFIG_CHARACTERS_MAX ? config : { digest: digestOf(config) }
}

/** `epsilon` and `delta` are null because no noise is added: there is no privacy guarantee to state. */
export function privacyParams(config: TrainingConfig): Json {
  return {
    epsilon: null,
    delta: null,
    clipping_norm: config.clipNorm,
    stages: expectedStages(config).map((record) => ({ ...record })),
  }
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
      privacy_params: privacyParams(round.config),
    },
  }
}

/** Of what kinds of log the updates were made, as declared; cut off where strangers could fill up the leaf with them. */
function dataSources({ contributions }: RoundFacts): string[] {
  const all = [...new Set(contributions.flatMap((contribution) => contribution.dataSources))].toSorted()
  if (all.length <= DATA_SOURCES_MAX) return all
  return [...all.slice(0, DATA_SOURCES_MAX), `${all.length - DATA_SOURCES_MAX} more`]
}
