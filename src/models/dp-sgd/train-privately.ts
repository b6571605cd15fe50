/**
 * DP-SGD (Abadi et al. 2016, Algorithm 1) for the perceptron, on integers: Poisson sample -> clipped gradients in steps of
 * a grid -> discrete Gaussian noise on their sum -> a step of SGD with momentum. Protected is one example (one
 * interaction), added or removed; what is released may be every intermediate model.
 *
 * Accounted for as a sampled discrete Gaussian (privacy/dp/rdp.ts).
 */

import { fail } from '../../base/errors.ts'
import type { Layer } from '../dense.ts'
import type { LabelledBatchSource } from '../model.ts'
import { clippedGradients } from './clipped-gradient.ts'

export interface PrivateTraining {
  /** Expected size of a batch. Each row is in it with probability batchSize / rows, independently of the others. */
  readonly batchSize: number
  readonly steps: number
  readonly learningRate: number
  readonly momentum: number
  /** L2 norm that no example's gradient exceeds. */
  readonly clip: number
  /** Width of the grid; the noise has `deviation` steps of it. */
  readonly step: number
  readonly deviation: number
}

/** From a secure source: who can guess which rows were in a batch, or the noise, undoes the protection. */
export interface PrivateRandomness {
  /** Uniform in [0, 2^32). */
  u32(): number
  /** Independent discrete Gaussians of `deviation`. */
  drawNoise(deviation: number, out: Int32Array): void
}

export interface PrivateResult {
  readonly parameters: Float32Array
  /** What was done, for the accountant. */
  readonly mechanism: { readonly samplingRate: number; readonly noiseMultiplier: number; readonly steps: number }
}

/** @throws no-data, invalid-request; not-finite if training diverged */
export function trainPrivately(
  layers: readonly Layer[],
  start: Float32Array,
  data: LabelledBatchSource,
  training: PrivateTraining,
  random: PrivateRandomness,
): PrivateResult {
  check(data, training)
  const { step, clip, deviation, learningRate, momentum, batchSize, steps } = training
  // The probability is a whole number of 2^-32, and at least the one that is meant: it is the one accounted for.
  const threshold = Math.min(2 ** 32, Math.ceil((batchSize / data.rows) * 2 ** 32))
  const gradients = clippedGradients(layers, clip, step)
  const parameters = Float32Array.from(start)
  const sum = new Float64Array(start.length)
  const velocity = new Float64Array(start.length)
  const noise = new Int32Array(start.length)
  for (let taken = 0; taken < steps; taken++) {
    sum.fill(0)
    for (let row = 0; row < data.rows; row++)
      if (random.u32() < threshold) gradients.add(sum, parameters, exampleAt(data, row))
    random.drawNoise(deviation, noise)
    for (let i = 0; i < parameters.length; i++) {
      const mean = (((sum[i] as number) + (noise[i] as number)) * step) / batchSize
      velocity[i] = momentum * (velocity[i] as number) + mean
      parameters[i] = (parameters[i] as number) - learningRate * (velocity[i] as number)
    }
  }
  noise.fill(0)
  if (!parameters.every(Number.isFinite)) fail('not-finite', 'private training diverged')
  return {
    parameters,
    mechanism: { samplingRate: threshold / 2 ** 32, noiseMultiplier: (deviation * step) / clip, steps },
  }
}

function exampleAt({ features, width, labels }: LabelledBatchSource, row: number) {
  return { features, from: row * width, label: labels[row] as number }
}

function check({ rows, width, features, labels }: LabelledBatchSource, training: PrivateTraining): void {
  if (rows < 1) fail('no-data', 'there is no row to train on')
  if (features.length !== rows * width || labels.length !== rows)
    fail('wrong-shape', 'features and labels are not of the same number of rows')
  const { batchSize, steps, learningRate, momentum, clip, step, deviation } = training
  if (!(batchSize >= 1 && batchSize <= rows) || !Number.isInteger(steps) || steps < 0)
    fail('invalid-request', 'a batch has 1 to all rows, and steps are counted')
  if (!(learningRate > 0) || !(momentum >= 0 && momentum < 1))
    fail('invalid-request', 'learningRate is positive, momentum in [0, 1)')
  if (!(clip > 0) || !(step > 0) || !Number.isInteger(deviation) || deviation < 1)
    fail('invalid-request', 'clip and step are positive, and the noise has a whole deviation')
}
