/** The configuration of the demo's training: checked before anything is set up, and used once the data are there. */

import { parseTrainingConfig, type TrainingConfig } from '../../../src/learning/config.ts'
import type { EncryptionConfig } from '../../../src/learning/encryption-config.ts'
import { HIDDEN_AMONG_MIN, type Protection } from '../../../src/learning/masking-config.ts'
import type { RobustConfig } from '../../../src/learning/robust/config.ts'
import { trainingDefaults } from '../../../src/node/default-model.ts'
import { defenceAgainst } from './attack.ts'
import type { DemoOptions } from './options.ts'
import type { OrganisationSummary } from './report.ts'

export const learners = (orgs: readonly OrganisationSummary[]): number => orgs.filter(({ learns }) => learns).length

/** Secure aggregation, unless asked otherwise, or fewer learn than can hide among each other. */
export function protectionOf(learning: number, { protect, attack, robust }: DemoOptions): Protection {
  // A rule sees more in single updates than in buckets, of which a few organisations make too few.
  if (attack !== undefined || robust !== undefined) return protect ?? 'plain'
  return protect ?? (learning < HIDDEN_AMONG_MIN ? 'plain' : 'secagg')
}

/** @param learning - organisations that have something to learn from @throws invalid-request for what does not go together */
export function demoConfig(
  learning: number,
  options: DemoOptions,
  encryption: EncryptionConfig | null,
): TrainingConfig {
  return parseTrainingConfig({
    ...trainingDefaults(options.model, { strategy: options.strategy, privacy: options.privacy, clip: options.clip }),
    ...(options.rounds === undefined ? {} : { rounds: options.rounds }),
    protection: protectionOf(learning, options),
    encryption,
    ...robustOf(options),
    ...(options.purpose === undefined ? {} : { purpose: options.purpose }),
    // Everybody who has something to learn from must take part.
    round: { participantsMin: Math.max(1, learning) },
    seed: String(options.seed),
  })
}

function robustOf({ robust, attack, protect }: DemoOptions): { robust?: RobustConfig } {
  if (robust !== undefined) return { robust }
  return attack === undefined ? {} : { robust: defenceAgainst(attack, protect) }
}
