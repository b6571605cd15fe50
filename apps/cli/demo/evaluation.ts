/** What the federated model is worth on later traffic, beside what each organisation could do alone. */

import { join } from 'node:path'
import { digest } from '../../../src/base/ids.ts'
import { type Evaluation, evaluate } from '../../../src/node/evaluate.ts'
import { parseTrainingConfig, type TrainingConfig } from '../../../src/learning/config.ts'
import { type ThreatModelKind, trainingDefaults } from '../../../src/node/default-model.ts'
import { openFileBlobs } from '../../../src/node/blobs/files.ts'
import { readFlat } from '../../../src/node/model-files.ts'
import type { Member } from './federation.ts'
import type { PreparedData } from './prepare-data.ts'
import type { Say } from './progress.ts'
import type { OrganisationSummary } from './report.ts'
import type { FinishedTraining } from './training.ts'

export interface EvaluationInput {
  readonly members: readonly Member[]
  readonly data: PreparedData
  readonly orgs: readonly OrganisationSummary[]
  readonly training: FinishedTraining
  readonly seed: number
}

/** The model is read from the first organisation's own store: what it holds is what it would use. */
export async function evaluateFederation(input: EvaluationInput, say: Say): Promise<Evaluation> {
  const { members, data, orgs, training } = input
  const blobs = await openFileBlobs(join(members[0]?.directory ?? '', 'blobs'))
  const { values } = await readFlat(blobs, digest(training.modelHash))
  // The others keep their data to themselves, or in one place: they need no noise, and train as without it.
  const { local, model } = training.config
  const alone = model.kind === 'policy' ? local : withoutPrivacy(model.kind)
  return evaluate({
    organisations: members.map(({ id, dataset }, i) => ({
      id,
      directory: dataset,
      families: orgs[i]?.investigated ?? [],
    })),
    trainUntil: data.trainUntil,
    spec: training.config.model,
    federated: values,
    rounds: training.config.rounds,
    local: alone,
    seed: String(input.seed),
    onProgress: ({ phase, done }) => say(phase, done),
  })
}

function withoutPrivacy(kind: ThreatModelKind): TrainingConfig['local'] {
  return parseTrainingConfig(trainingDefaults(kind, { privacy: null })).local
}
