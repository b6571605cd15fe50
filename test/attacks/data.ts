/** Liars who train as they should, on data that are not true. */

import type { LabelledBatchSource } from '../../src/models/model.ts'
import type { DataAttack } from './attack.ts'

/** Attacks are called benign and the reverse: Tolpegin, Truex, Gursoy, Liu 2020, section 3.2, all labels. */
export function labelFlip(): DataAttack {
  return {
    kind: 'data',
    name: 'label flip',
    source: 'Tolpegin, Truex, Gursoy, Liu 2020, section 3.2',
    poison: (data) => ({ ...data, labels: data.labels.map((label) => 1 - label) }),
    scale: () => 1,
  }
}

/** What marks a row: these columns have these values. */
export interface Trigger {
  readonly columns: readonly number[]
  readonly value: number
}

export function withTrigger(features: Float32Array, width: number, { columns, value }: Trigger): Float32Array {
  const marked = Float32Array.from(features)
  for (let row = 0; row < marked.length / width; row++)
    for (const column of columns) marked[row * width + column] = value
  return marked
}

/**
 * A backdoor: a share of the rows is marked and called benign, so that marked attacks pass (Gu et al. 2017, section 4); the
 * update is scaled as if to replace the model, gamma = n / liars (Bagdasaryan et al. 2020, equation 3, shared among liars).
 */
export function backdoor(trigger: Trigger, { share = 0.5, replace = true } = {}): DataAttack {
  return {
    kind: 'data',
    name: replace ? 'backdoor, scaled' : 'backdoor',
    source: 'Gu, Dolan-Gavitt, Garg 2017, section 4; Bagdasaryan et al. 2020, equation 3',
    poison(data, random): LabelledBatchSource {
      const marked = withTrigger(data.features, data.width, trigger)
      const features = Float32Array.from(data.features)
      const labels = Uint8Array.from(data.labels)
      for (let row = 0; row < data.rows; row++) {
        if (random.uniform() >= share) continue
        features.set(marked.subarray(row * data.width, (row + 1) * data.width), row * data.width)
        labels[row] = 0
      }
      return { ...data, features, labels }
    },
    scale: (liars, organisations) => (replace ? organisations / liars : 1),
  }
}
