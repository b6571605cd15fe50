/**
 * DP-SGD (Abadi et al. 2016, Algorithm 1) on integers: Poisson sample -> the gradient of each example by itself, clipped,
 * in whole steps of a grid -> discrete Gaussian noise on their sum -> a step of the optimiser. Protected is one row, added
 * or removed; what is released may be every intermediate model. Accounted for as a sampled discrete Gaussian
 * (privacy/dp/rdp.ts).
 *
 * Nothing else here depends on the rows: not the number of steps, not the divisor of the sum, not the weight of a class.
 */

import type { Kernels } from '../kernels/kernels.ts'
import type { TrainingSource, TrainOptions, TrainResult } from '../model.ts'
import { createOptimiser, type OptimiserMemory } from '../optimiser.ts'
import type { Trainee } from '../training-loop.ts'
import { checkPrivate, type PrivateMechanism, type PrivateTraining } from './private-training.ts'

/** Rounding of a norm, of the factor and of a product to float32 stays below this. */
const SLACK = 1 - 1e-6

/** Trains the first `count` parameters in `memory`, in place. @throws invalid-request */
export function trainPrivately(
  kernels: Kernels,
  memory: OptimiserMemory,
  count: number,
  trainee: Trainee,
  data: TrainingSource,
  options: TrainOptions,
  training: PrivateTraining,
): Pick<TrainResult, 'loss' | 'steps' | 'mechanism'> {
  checkPrivate(training)
  const { arena, raw } = kernels
  const { steps, samplingThreshold, clip, clipSteps, deviation, random } = training
  const optimiser = createOptimiser(raw, memory, count, options)
  const { gradient } = memory
  const sum = arena.allocate(4 * count)
  const noise = new Int32Array(count)
  const addSample = clippedSums(kernels, trainee, { gradient, sum, count }, training)
  let loss = 0
  try {
    for (let taken = 0; taken < steps; taken++) {
      int32(kernels, sum, count).fill(0)
      loss = addSample(sampleOf(data.rows, samplingThreshold, random.u32))
      random.drawNoise(deviation, noise)
      addNoise(int32(kernels, sum, count), noise, arena.float32(gradient, count), clip / clipSteps / options.batchSize)
      optimiser.step()
    }
  } finally {
    noise.fill(0)
    int32(kernels, sum, count).fill(0)
    arena.release(sum)
  }
  return { loss, steps, mechanism: mechanismOf(training) }
}

const int32 = ({ arena }: Kernels, offset: number, count: number): Int32Array => {
  const bytes = arena.bytes(offset, 4 * count)
  return new Int32Array(bytes.buffer, bytes.byteOffset, count)
}

/** Each row on its own with probability threshold / 2^32. */
function sampleOf(rows: number, threshold: number, u32: () => number): number[] {
  const sample: number[] = []
  for (let row = 0; row < rows; row++) if (u32() < threshold) sample.push(row)
  return sample
}

/** Adds the clipped gradients of a sample to the sum; returns their mean loss, which is never released. */
function clippedSums(
  { raw }: Kernels,
  trainee: Trainee,
  { gradient, sum, count }: { gradient: number; sum: number; count: number },
  { clip, clipSteps }: PrivateTraining,
): (sample: readonly number[]) => number {
  const one = { rows: new Uint32Array(1), weights: Float32Array.of(1), weightSum: 1 }
  return (sample) => {
    let loss = 0
    for (const row of sample) {
      one.rows[0] = row
      const lost = trainee.gradientOf(one)
      if (Number.isFinite(lost)) loss += lost
      const norm = Math.sqrt(raw.squaredNorm(gradient, count))
      // A gradient that is not finite has no length to clip, and adds nothing.
      if (norm > 0 && Number.isFinite(norm))
        raw.addSteps(sum, gradient, count, (Math.min(1, clip / norm) * SLACK * clipSteps) / clip)
    }
    return sample.length === 0 ? 0 : loss / sample.length
  }
}

/** The noisy sum, as the gradient that the optimiser sees: everything behind this line may be known to anybody. */
function addNoise(sum: Int32Array, noise: Int32Array, gradient: Float32Array, scale: number): void {
  for (let i = 0; i < gradient.length; i++) gradient[i] = ((sum[i] as number) + (noise[i] as number)) * scale
}

function mechanismOf({ samplingThreshold, clipSteps, deviation, clip, steps }: PrivateTraining): PrivateMechanism {
  return { samplingRate: samplingThreshold / 2 ** 32, noiseMultiplier: deviation / clipSteps, clip, steps }
}
