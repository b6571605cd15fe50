/** Logits of rows, in batches of bounded memory. */

import { fail } from '../../base/errors.ts'
import type { DensePlan } from '../dense.ts'
import type { Kernels } from '../kernels/kernels.ts'
import { forwardEncoder, forwardHead } from './forward.ts'
import { allocateNetwork } from './memory.ts'
import type { TgnnPlan } from './plan.ts'

const PART_ROWS = 64

/** @throws wrong-shape */
export function scoreTgnn(
  plan: TgnnPlan,
  head: DensePlan,
  kernels: Kernels,
  values: Float32Array,
  features: Float32Array,
  rows: number,
): Float32Array {
  const { inputs } = plan
  if (features.length < rows * inputs)
    fail('wrong-shape', `${features.length} features are not ${rows} rows of ${inputs}`)
  const { arena } = kernels
  const parameters = arena.allocate(values.byteLength)
  const memory = allocateNetwork(plan, head, kernels, PART_ROWS)
  const logits = new Float32Array(rows)
  try {
    arena.float32(parameters, values.length).set(values)
    for (let from = 0; from < rows; from += PART_ROWS) {
      const count = Math.min(PART_ROWS, rows - from)
      arena.float32(memory.encoder.input, count * inputs).set(features.subarray(from * inputs, (from + count) * inputs))
      forwardEncoder(plan, kernels, parameters, memory.encoder, count)
      forwardHead(plan, head, kernels, parameters, memory, count)
      logits.set(arena.float32(memory.head.offsets.at(-1) ?? 0, count), from)
    }
    return logits
  } finally {
    memory.release()
    arena.release(parameters)
  }
}
