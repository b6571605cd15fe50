/** The forward pass of the perceptron, in batches of bounded memory. */

import { fail } from '../base/errors.ts'
import { allocateDense, forwardDense } from './dense.ts'
import type { Kernels } from './kernels/kernels.ts'
import type { MlpPlan } from './mlp.ts'

const SCORE_BATCH = 1024

/** Logits of row-major features. @throws wrong-shape */
export function forwardBatches(
  plan: MlpPlan,
  kernels: Kernels,
  values: Float32Array,
  features: Float32Array,
  rows: number,
): Float32Array {
  const width = plan.spec.inputs
  if (features.length < rows * width)
    fail('wrong-shape', `${features.length} features are not ${rows} rows of ${width}`)
  const { arena } = kernels
  const batch = Math.min(SCORE_BATCH, Math.max(rows, 1))
  const parameters = arena.allocate(values.byteLength)
  const activations = allocateDense(plan.layers, kernels, batch)
  const logits = new Float32Array(rows)
  try {
    arena.float32(parameters, values.length).set(values)
    for (let from = 0; from < rows; from += batch) {
      const count = Math.min(batch, rows - from)
      arena
        .float32(activations.offsets[0] ?? 0, count * width)
        .set(features.subarray(from * width, (from + count) * width))
      forwardDense(plan.layers, kernels, parameters, activations.offsets, count)
      logits.set(arena.float32(activations.offsets.at(-1) ?? 0, count), from)
    }
    return logits
  } finally {
    activations.release()
    arena.release(parameters)
  }
}
