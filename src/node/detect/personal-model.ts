/** An organisation's own model beside the shared one, as one model that scores; `personalise.ts` makes the own one. */

import { fail } from '../../base/errors.ts'
import { digestOf } from '../../base/hash.ts'
import type { Digest } from '../../base/ids.ts'
import type { Accelerator } from '../../models/accelerator.ts'
import type { SafetensorsHeader } from '../../models/formats/safetensors.ts'
import type { Objective } from '../../models/model.ts'
import { personalisedScores } from '../../models/personalise.ts'
import { type LoadedModel, loadModel } from './model-file.ts'

/** From which the scores of both are measured, and for which shared model that was found. */
export interface Beside {
  readonly shared: Digest
  readonly sharedLevel: number
  readonly ownLevel: number
}

export const besideMetadata = ({ shared, sharedLevel, ownLevel }: Beside): Record<string, string> => ({
  beside: shared,
  beside_level: String(sharedLevel),
  own_level: String(ownLevel),
})

function besideOf({ metadata }: SafetensorsHeader, path: string): Beside {
  const [shared, sharedLevel, ownLevel] = ['beside', 'beside_level', 'own_level'].map((key) => metadata[key] ?? '')
  const levels = [sharedLevel, ownLevel].map((text) => (text === undefined || text === '' ? Number.NaN : Number(text)))
  const [first = Number.NaN, second = Number.NaN] = levels
  if (shared === undefined || shared === '' || !levels.every(Number.isFinite))
    fail('model-invalid', `${path} is no model to stand beside a shared one; see: entente model personalise`)
  return { shared: shared as Digest, sharedLevel: first, ownLevel: second }
}

/**
 * Scores as the higher opinion of both; surprise is the shared model's alone.
 * @throws as loadModel; model-invalid if the own model was not made to stand beside this shared one
 */
export async function loadPersonalModel(sharedPath: string, ownPath: string): Promise<LoadedModel> {
  const [shared, own] = [await loadModel(sharedPath), await loadModel(ownPath)]
  const beside = besideOf(own.header, ownPath)
  if (beside.shared !== shared.digest)
    fail('model-invalid', `${ownPath} was made to stand beside another model: personalise ${sharedPath} again`)
  if (digestOf(own.spec) !== digestOf(shared.spec))
    fail('model-invalid', `${ownPath} and ${sharedPath} are models of different rows`)
  const both = (ofShared: Float32Array, ofOwn: Float32Array): Float32Array =>
    personalisedScores({ scores: ofShared, level: beside.sharedLevel }, { scores: ofOwn, level: beside.ownLevel })
  return {
    ...shared,
    // A threshold that was chosen for one of them alone means nothing here.
    digest: digestOf({ shared: shared.digest, own: own.digest }),
    score: (features, rows, objective) =>
      objective === 'link'
        ? shared.score(features, rows, objective)
        : both(shared.score(features, rows), own.score(features, rows)),
    accelerate: async (by) => accelerateBoth(by, shared, own, both),
  }
}

async function accelerateBoth(
  by: Accelerator,
  shared: LoadedModel,
  own: LoadedModel,
  both: (ofShared: Float32Array, ofOwn: Float32Array) => Float32Array,
): ReturnType<LoadedModel['accelerate']> {
  const [first, second] = [await shared.accelerate(by), await own.accelerate(by)]
  return {
    score: async (features: Float32Array, rows: number, objective?: Objective) => {
      const ofShared = await first.score(features, rows, objective)
      return objective === 'link' ? ofShared : both(ofShared, await second.score(features, rows))
    },
    close: async () => {
      await first.close()
      await second.close()
    },
  }
}
