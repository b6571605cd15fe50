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

/** The first `rows` rows of the input, up to the hidden layer of channel mixing, token by token. */
export function forwardTokens(
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
  const { mixed: before, normal1, stats1, channelHidden } = memory
  const hidden = plan.channelHidden
  raw.layerNorm(before, at('norm1.gain'), at('norm1.bias'), normal1, stats1, count, width, EPSILON)
  raw.gemm(normal1, width, 1, at('channel0.weight'), hidden, 1, channelHidden, count, hidden, width, 0, scratch)
  raw.biasRelu(channelHidden, at('channel0.bias'), count, hidden, 1)
}

/** Encodes the first `rows` rows of the input: encoded = mixed + W1^T relu(W0^T norm(mixed)), token by token. */
export function forwardEncoder(
  plan: TgnnPlan,
  kernels: Kernels,
  parameters: number,
  memory: EncoderMemory,
  rows: number,
): void {
  forwardTokens(plan, kernels, parameters, memory, rows)
  const { raw, scratch } = kernels
  const { width, links } = plan.spec
  const { mixed, channelHidden, encoded } = memory
  const at = tensorAt(plan, parameters)
  const [count, inner] = [rows * 2 * links, plan.channelHidden]
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

/** Writes the mean of an end's encoded tokens, for both ends of each row side by side, to out + 4 row stride. */
export type Embed = (out: number, stride: number) => void

/** Of tokens that {@link forwardEncoder} has encoded. */
export function meanOfEncoded(plan: TgnnPlan, { raw }: Kernels, memory: EncoderMemory, rows: number): Embed {
  const { links, width } = plan.spec
  return (out, stride) => raw.maskedMean(memory.encoded, memory.mask, out, stride, 2 * rows, links, width, 0)
}

/** Logits into the head's last activation. */
export function forwardHead(
  plan: TgnnPlan,
  head: DensePlan,
  kernels: Kernels,
  parameters: number,
  { encoder, head: { offsets } }: NetworkMemory,
  rows: number,
  embed: Embed,
): void {
  const { raw } = kernels
  const { links, width, timeDimensions } = plan.spec
  const own = ownColumns(plan, head)
  const into = offsets[0] ?? 0
  const stride = head.layers[0]?.inputs ?? 0
  raw.copyColumns(encoder.input + 4 * own.from, plan.inputs, into, stride, rows, own.count)
  const embeddings = into + 4 * own.count
  embed(embeddings, stride)
  const means = embeddings + 8 * width
  raw.maskedMean(encoder.tokens, encoder.mask, means, stride, 2 * rows, links, plan.meanWidth, timeDimensions)
  forwardDense(head.layers, kernels, parameters, offsets, rows)
}
