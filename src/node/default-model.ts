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

export const defaultModel = (kind: ThreatModelKind): ThreatModelSpec => (kind === 'mlp' ? DEFAULT_MLP : DEFAULT_TGNN)

/** The model that a training starts from unless it is told otherwise. */
export const DEFAULT_MODEL: ThreatModelSpec = DEFAULT_MLP
