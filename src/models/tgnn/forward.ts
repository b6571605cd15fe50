/**
 * The network, forward. Both ends share the encoder: a token for each recent link, one MLP-Mixer block over them
 * (GraphMixer, Cong et al. 2023, equations 1 to 4), their mean. The head reads, side by side, the features of the
 * interaction, the co-occurrence of the ends' peers (DyGFormer, Yu et al. 2023), both embeddings and both means of recent
 * links (as E-GraphSAGE classifies an edge: Lo et al. 2022, equation 5), and gives one logit.
 */

import { type DensePlan, forwardDense } from '../dense.ts'
import type { Kernels } from '../kernels/kernels.ts'
import type { EncoderMemory, NetworkMemory } from './memory.ts'
import type { EncoderTensor, TgnnPlan } from './plan.ts'

const EPSILON = 1e-5

/** Offset in bytes of a tensor of the encoder, given that of the parameters or of the gradient. */
export function tensorAt(plan: TgnnPlan, parameters: number): (name: EncoderTensor) => number {
  return (name) => parameters + 4 * plan.encoder[name]
}

/** Encodes the first `rows` rows of the input. */
export function forwardEncoder(
  plan: TgnnPlan,
  kernels: Kernels,
  parameters: number,
  memory: EncoderMemory,
  rows: number,
): void {
  const { raw, scratch } = kernels
  const { links, linkFeatures, timeDimensions, width } = plan.spec
  const { tokens, mask, projected, normal0, mixed, stats0, tokenHidden } = memory
  const at = tensorAt(plan, parameters)
  const count = rows * 2 * links
  const from = memory.input + 4 * plan.linksFrom
  raw.linkTokens(from, plan.inputs, 2 * links, linkFeatures, memory.omega, timeDimensions, tokens, mask, rows)
  const inner = plan.tokenWidth
  raw.gemm(tokens, inner, 1, at('input.weight'), width, 1, projected, count, width, inner, 0, scratch)
  raw.maskedBias(projected, at('input.bias'), mask, count, width)
  raw.layerNorm(projected, at('norm0.gain'), at('norm0.bias'), normal0, stats0, count, width, EPSILON)
  raw.maskRows(normal0, mask, count, width)
  const [w0, b0, w1, b1] = [at('token0.weight'), at('token0.bias'), at('token1.weight'), at('token1.bias')]
  raw.tokenMix(normal0, projected, w0, b0, w1, b1, tokenHidden, mixed, 2 * rows, links, plan.tokenHidden, width)
  mixChannels(plan, kernels, parameters, memory, count)
}

/** encoded = mixed + W1^T relu(W0^T norm(mixed)), token by token. */
function mixChannels(
  plan: TgnnPlan,
  { raw, scratch }: Kernels,
  parameters: number,
  memory: EncoderMemory,
  count: number,
): void {
  const { width } = plan.spec
  const { mixed, normal1, stats1, channelHidden, encoded } = memory
  const at = tensorAt(plan, parameters)
  const inner = plan.channelHidden
  raw.layerNorm(mixed, at('norm1.gain'), at('norm1.bias'), normal1, stats1, count, width, EPSILON)
  raw.gemm(normal1, width, 1, at('channel0.weight'), inner, 1, channelHidden, count, inner, width, 0, scratch)
  raw.biasRelu(channelHidden, at('channel0.bias'), count, inner, 1)
  raw.copyColumns(mixed, width, encoded, width, count, width)
  raw.gemm(channelHidden, inner, 1, at('channel1.weight'), width, 1, encoded, count, width, inner, 1, scratch)
  raw.biasRelu(encoded, at('channel1.bias'), count, width, 0)
}

/** Columns of the row that the head reads as they are: of the edge head the interaction's own features, too. */
export function ownColumns(plan: TgnnPlan, head: DensePlan): { from: number; count: number } {
  const { features, pairFeatures } = plan.spec
  const from = head === plan.head ? 0 : features
  return { from, count: features + pairFeatures - from }
}

/** Logits of the encoded rows into the head's last activation. */
export function forwardHead(
  plan: TgnnPlan,
  head: DensePlan,
  kernels: Kernels,
  parameters: number,
  { encoder, head: { offsets } }: NetworkMemory,
  rows: number,
): void {
  const { raw } = kernels
  const { links, width, timeDimensions } = plan.spec
  const own = ownColumns(plan, head)
  const into = offsets[0] ?? 0
  const stride = head.layers[0]?.inputs ?? 0
  raw.copyColumns(encoder.input + 4 * own.from, plan.inputs, into, stride, rows, own.count)
  const embeddings = into + 4 * own.count
  raw.maskedMean(encoder.encoded, encoder.mask, embeddings, stride, 2 * rows, links, width, 0)
  const means = embeddings + 8 * width
  raw.maskedMean(encoder.tokens, encoder.mask, means, stride, 2 * rows, links, plan.meanWidth, timeDimensions)
  forwardDense(head.layers, kernels, parameters, offsets, rows)
}
