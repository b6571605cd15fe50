/** What a private training is told, and what it says that it did. */

import { fail } from '../../base/errors.ts'

export interface PrivateTraining {
  readonly steps: number
  /** Each row is in a step with probability samplingThreshold / 2^32, independently of the others. */
  readonly samplingThreshold: number
  /** L2 norm that no example's gradient exceeds. */
  readonly clip: number
  /** Steps of the grid in one clip; the noise has `deviation` of them. */
  readonly clipSteps: number
  readonly deviation: number
  readonly random: PrivateRandomness
}

/** From a secure source: who can guess which rows were in a step, or the noise, undoes the protection. */
export interface PrivateRandomness {
  /** Uniform in [0, 2^32). */
  u32(): number
  /** Independent discrete Gaussians of `deviation`. */
  drawNoise(deviation: number, out: Int32Array): void
}

/** What was done, for the accountant. */
export interface PrivateMechanism {
  readonly samplingRate: number
  /** Deviation of the noise over the clip. */
  readonly noiseMultiplier: number
  readonly clip: number
  readonly steps: number
}

/** @throws invalid-request */
export function checkPrivate({ steps, samplingThreshold, clip, clipSteps, deviation }: PrivateTraining): void {
  if (!Number.isInteger(steps) || steps < 1) fail('invalid-request', 'steps are counted, and there is at least one')
  if (!Number.isInteger(samplingThreshold) || samplingThreshold < 1 || samplingThreshold > 2 ** 32)
    fail('invalid-request', 'a row is sampled with a probability above 0 and at most 1')
  if (!(clip > 0) || !Number.isInteger(clipSteps) || clipSteps < 1)
    fail('invalid-request', 'the clip is positive, and a whole number of steps of the grid')
  if (!Number.isInteger(deviation) || deviation < 1) fail('invalid-request', 'the noise has a whole deviation')
}
