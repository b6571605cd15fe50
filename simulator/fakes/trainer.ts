/**
 * The real model on a few synthetic rows: what an organisation trains on is a function of its name, so the same request
 * gives the same bytes in every run. Training takes virtual time, and the process may die in it.
 */

import { EntenteError } from '../../src/base/errors.ts'
import type { OrganisationId } from '../../src/base/ids.ts'
import { prng } from '../../src/base/prng.ts'
import type { Kernels } from '../../src/models/kernels/kernels.ts'
import { createModel, type LabelledBatchSource } from '../../src/models/model.ts'
import type { Trainer } from '../../src/node/ports.ts'
import { privateOptions } from '../../src/node/private-randomness.ts'
import type { Process } from './process.ts'

/** Two clouds, an attack every fourth row; sizes differ between organisations, so that weights matter. */
function rowsOf(organisation: OrganisationId, width: number): LabelledBatchSource {
  const random = prng(`simulated-traffic/${organisation}`)
  const rows = 16 + random.below(48)
  const labels = Uint8Array.from({ length: rows }, (_, row) => (row % 4 === 0 ? 1 : 0))
  const features = new Float32Array(rows * width)
  for (let i = 0; i < features.length; i++)
    features[i] = random.normal() + (labels[Math.floor(i / width)] === 1 ? 1.5 : 0)
  return { rows, width, features, labels }
}

export interface TrainerConditions {
  /** Longest time that training takes, in virtual milliseconds. */
  readonly durationMsMax: number
  /** Whether this organisation never answers a request of this seed. */
  absent?(seed: string): boolean
}

export function createTrainer(
  process: Process,
  organisation: OrganisationId,
  kernels: Kernels,
  conditions: TrainerConditions,
): Trainer {
  return {
    async train({ spec, parameters, rowsMax: _, privately, ...options }) {
      if (conditions.absent?.(options.seed) === true) await new Promise(() => undefined)
      await process.point('train', process.scheduler.random.uniform() * conditions.durationMsMax)
      const model = createModel(spec, kernels)
      const data = rowsOf(organisation, model.inputs)
      const trained = model.train(parameters, data, { ...options, ...privateOptions(privately) })
      if (!Number.isFinite(trained.loss)) throw new EntenteError('not-finite', 'training diverged')
      await process.point('trained')
      const positives = data.labels.filter((label) => label === 1).length
      const { parameters: after, loss, mechanism } = trained
      return {
        parameters: after,
        summary: { sampleCount: data.rows, positives, loss, ...(mechanism && { mechanism }) },
      }
    },
  }
}
