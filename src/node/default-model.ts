/** The models that a training may start from without a specification. Sizes: docs/decisions/0006 and 0011. */

import type { MlpSpec, TgnnSpec, ThreatModelSpec } from '../models/model.ts'
import { FEATURE_COUNT } from '../telemetry/features.ts'
import { LINK_WIDTH, LINKS_DEFAULT, PAIR_WIDTH } from '../telemetry/graph/layout.ts'

export const DEFAULT_MLP: MlpSpec = { kind: 'mlp', inputs: FEATURE_COUNT, hidden: [64, 64] }

export const DEFAULT_TGNN: TgnnSpec = {
  kind: 'tgnn',
  features: FEATURE_COUNT,
  pairFeatures: PAIR_WIDTH,
  links: LINKS_DEFAULT,
  linkFeatures: LINK_WIDTH,
  timeDimensions: 16,
  width: 32,
  hidden: [64, 64],
}

export const MODEL_KINDS = ['mlp', 'tgnn'] as const
export type ThreatModelKind = (typeof MODEL_KINDS)[number]

/** The model that a training starts from unless it is told otherwise. */
export const DEFAULT_KIND: ThreatModelKind = 'tgnn'

export const defaultModel = (kind: ThreatModelKind): ThreatModelSpec => (kind === 'mlp' ? DEFAULT_MLP : DEFAULT_TGNN)

/** Fields of a training's configuration that go with a model; parseTrainingConfig fills in the rest. */
export interface TrainingDefaults {
  readonly model: ThreatModelSpec
  readonly strategy: { readonly name: string; readonly momentum?: number }
  readonly local?: { readonly rowsMax: number; readonly rowsPerEpoch: number }
  readonly rounds: number
}

/**
 * Short rounds and a server that keeps its direction hold organisations of different labels together; a perceptron, whose
 * rounds cost next to nothing, is trained as decision 6 has it.
 */
export function trainingDefaults(kind: ThreatModelKind, strategy?: string): TrainingDefaults {
  if (kind === 'mlp') return { model: DEFAULT_MLP, strategy: { name: strategy ?? 'fedavg' }, rounds: 8 }
  const name = strategy ?? 'fedavgm'
  return {
    model: DEFAULT_TGNN,
    strategy: name === 'fedavgm' ? { name, momentum: 0.7 } : { name },
    local: { rowsMax: 40_000, rowsPerEpoch: 12_500 },
    rounds: 16,
  }
}
