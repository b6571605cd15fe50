/** The forward pass of the perceptron, in batches of bounded memory. */

import { fail } from '../base/errors.ts'
import type { Kernels } from './kernels/kernels.ts'
import type { MlpPlan } from './mlp.ts'

const SCORE_BATCH = 1024

/** Offsets in the kernels' memory of the input and of the output of each layer, for a batch. */
export interface Activations {
  readonly offsets: readonly number[]
  release(): void
}

export function allocateActivations(plan: MlpPlan, kernels: Kernels, batchSize: number): Activations {
  const widths = [plan.spec.inputs, ...plan.layers.map(({ outputs }) => outputs)]
  const offsets = widths.map((width) => kernels.arena.allocate(4 * width * batchSize))
  return { offsets, release: () => offsets.forEach((offset) => kernels.arena.release(offset)) }
}

/** Fills the outputs of all layers from the first `rows` rows of the input; `parameters` is an offset in the memory. */
export function forward(
  plan: MlpPlan,
  kernels: Kernels,
  parameters: number,
  { offsets }: Activations,
  rows: number,
): void {
  const { raw, scratch } = kernels
  plan.layers.forEach(({ inputs, outputs, weights, bias }, i) => {
    const input = offsets[i] ?? 0
    const output = offsets[i + 1] ?? 0
    raw.gemm(input, inputs, 1, parameters + 4 * weights, outputs, 1, output, rows, outputs, inputs, 0, scratch)
    raw.biasRelu(output, parameters + 4 * bias, rows, outputs, i + 1 < plan.layers.length ? 1 : 0)
  })
}

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
  const activations = allocateActivations(plan, kernels, batch)
  const logits = new Float32Array(rows)
  try {
    arena.float32(parameters, values.length).set(values)
    for (let from = 0; from < rows; from += batch) {
      const count = Math.min(batch, rows - from)
      arena
        .float32(activations.offsets[0] ?? 0, count * width)
        .set(features.subarray(from * width, (from + count) * width))
      forward(plan, kernels, parameters, activations, count)
      logits.set(arena.float32(activations.offsets.at(-1) ?? 0, count), from)
    }
    return logits
  } finally {
    activations.release()
    arena.release(parameters)
  }
}
