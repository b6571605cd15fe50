/** The model that a training starts from unless it is told otherwise. Sizes: docs/decisions/0006-first-model.md. */

import type { ModelSpec } from '../models/model.ts'
import { FEATURE_NAMES } from '../telemetry/features.ts'

export const DEFAULT_MODEL: ModelSpec = { kind: 'mlp', inputs: FEATURE_NAMES.length, hidden: [64, 64] }
