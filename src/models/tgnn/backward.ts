/** The network, backward: forward.ts in reverse, each gradient written where the one that it came from is no longer read. */

import { backwardDense, type Activations, type DensePlan } from '../dense.ts'
import type { Kernels } from '../kernels/kernels.ts'
import { ownColumns, tensorAt } from './forward.ts'
import type { EncoderMemory, NetworkMemory } from './memory.ts'
import type { TgnnPlan } from './plan.ts'

/** Offsets of gradients by activations. */
export interface Deltas {
  readonly head: Activations
  /** Tokens by width. */
  readonly residual: number
  readonly branch: number
  readonly channelHidden: number
  /** Sums of token mixing. */
  readonly scratch: number
}

/** From the gradient by the logits (the head's last delta) to that by all parameters that `toBody` asks for. */
export function backwardNetwork(
  plan: TgnnPlan,
  head: DensePlan,
  kernels: Kernels,
  parameters: number,
  gradient: number,
  memory: NetworkMemory,
  deltas: Deltas,
  rows: number,
  toBody: boolean,
): void {
  const of = {
    parameters,
    gradient,
    activations: memory.head.offsets,
    deltas: deltas.head.offsets,
    toInput: toBody,
  }
  backwardDense(head.layers, kernels, of, rows)
  if (!toBody) return
  const { links, width } = plan.spec
  const stride = head.layers[0]?.inputs ?? 0
  const embeddings = (deltas.head.offsets[0] ?? 0) + 4 * ownColumns(plan, head).count
  kernels.raw.maskedMeanBackward(embeddings, memory.encoder.mask, deltas.residual, stride, 2 * rows, links, width)
  backwardChannels(plan, kernels, parameters, gradient, memory.encoder, deltas, rows * 2 * links)
  backwardTokens(plan, kernels, parameters, gradient, memory.encoder, deltas, rows)
}

/** Through channel mixing: residual holds the gradient of its output, then of its input. */
function backwardChannels(
  plan: TgnnPlan,
  { raw, scratch }: Kernels,
  parameters: number,
  gradient: number,
  { channelHidden, normal1, mixed, stats1 }: EncoderMemory,
  { residual, branch, channelHidden: hidden }: Deltas,
  count: number,
): void {
  const { width } = plan.spec
  const inner = plan.channelHidden
  const at = tensorAt(plan, parameters)
  const into = tensorAt(plan, gradient)
  raw.columnSums(residual, into('channel1.bias'), count, width)
  raw.gemm(channelHidden, 1, inner, residual, width, 1, into('channel1.weight'), inner, width, count, 0, scratch)
  raw.gemm(residual, width, 1, at('channel1.weight'), 1, width, hidden, count, inner, width, 0, scratch)
  raw.reluBackward(hidden, channelHidden, count * inner)
  raw.columnSums(hidden, into('channel0.bias'), count, inner)
  raw.gemm(normal1, 1, width, hidden, inner, 1, into('channel0.weight'), width, inner, count, 0, scratch)
  raw.gemm(hidden, inner, 1, at('channel0.weight'), 1, inner, branch, count, width, inner, 0, scratch)
  const [gain, bias] = [into('norm1.gain'), into('norm1.bias')]
  raw.layerNormBackward(branch, mixed, at('norm1.gain'), stats1, branch, gain, bias, count, width)
  raw.addOf(residual, branch, residual, count * width)
}

/** Through token mixing and the input layer. */
function backwardTokens(
  plan: TgnnPlan,
  { raw, scratch }: Kernels,
  parameters: number,
  gradient: number,
  { normal0, projected, stats0, tokens, mask, tokenHidden }: EncoderMemory,
  { residual, branch, scratch: sums }: Deltas,
  rows: number,
): void {
  const { width, links } = plan.spec
  const count = rows * 2 * links
  const inner = plan.tokenWidth
  const at = tensorAt(plan, parameters)
  const into = tensorAt(plan, gradient)
  raw.tokenMixBackward(
    residual,
    normal0,
    tokenHidden,
    at('token0.weight'),
    at('token1.weight'),
    branch,
    into('token0.weight'),
    into('token0.bias'),
    into('token1.weight'),
    into('token1.bias'),
    sums,
    2 * rows,
    links,
    plan.tokenHidden,
    width,
  )
  raw.maskRows(branch, mask, count, width)
  const [gain, bias] = [into('norm0.gain'), into('norm0.bias')]
  raw.layerNormBackward(branch, projected, at('norm0.gain'), stats0, branch, gain, bias, count, width)
  raw.addOf(residual, branch, residual, count * width)
  raw.columnSums(residual, into('input.bias'), count, width)
  raw.gemm(tokens, 1, inner, residual, width, 1, into('input.weight'), inner, width, count, 0, scratch)
}
