/** Logits of rows, in batches of bounded memory. */

import { fail } from '../../base/errors.ts'
import type { DensePlan } from '../dense.ts'
import type { Kernels } from '../kernels/kernels.ts'
import { type Embed, forwardHead, forwardTokens, tensorAt } from './forward.ts'
import { allocateNetwork, type EncoderMemory } from './memory.ts'
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
      forwardTokens(plan, kernels, parameters, memory.encoder, count)
      const embed = encodedMean(plan, kernels, parameters, memory.encoder, count)
      forwardHead(plan, head, kernels, parameters, memory, count, embed)
      logits.set(arena.float32(memory.head.offsets.at(-1) ?? 0, count), from)
    }
    return logits
  } finally {
    memory.release()
    arena.release(parameters)
  }
}

/**
 * The last layer of channel mixing is linear, so the mean of its outputs over the tokens of an end is its output for their
 * mean: one product an end in place of one a token. Training needs every token's for its gradient.
 */
function encodedMean(
  plan: TgnnPlan,
  { raw, scratch }: Kernels,
  parameters: number,
  memory: EncoderMemory,
  rows: number,
): Embed {
  const { links, width } = plan.spec
  const { mixed, mask, channelHidden, endMask, endHidden, endEncoded } = memory
  const at = tensorAt(plan, parameters)
  const [ends, inner] = [2 * rows, plan.channelHidden]
  return (out, stride) => {
    raw.maskedMean(channelHidden, mask, endHidden, 2 * inner, ends, links, inner, 0)
    raw.maskedMean(mixed, mask, endEncoded, 2 * width, ends, links, width, 0)
    raw.gemm(endHidden, inner, 1, at('channel1.weight'), width, 1, endEncoded, ends, width, inner, 1, scratch)
    raw.maskedMean(mask, mask, endMask, 2, ends, links, 1, 0)
    raw.maskedBias(endEncoded, at('channel1.bias'), endMask, ends, width)
    raw.copyColumns(endEncoded, 2 * width, out, stride, rows, 2 * width)
  }
}
