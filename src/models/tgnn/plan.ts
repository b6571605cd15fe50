/** Names, shapes and offsets of the network's parameters. */

import { type DensePlan, planDense } from '../dense.ts'
import type { TensorShape, TgnnSpec } from '../model.ts'

/** One tensor of the encoder: its first element among the flat parameters. */
interface Tensor {
  readonly name: string
  readonly shape: readonly number[]
}

export type EncoderTensor =
  | 'channel0.bias'
  | 'channel0.weight'
  | 'channel1.bias'
  | 'channel1.weight'
  | 'input.bias'
  | 'input.weight'
  | 'norm0.bias'
  | 'norm0.gain'
  | 'norm1.bias'
  | 'norm1.gain'
  | 'token0.bias'
  | 'token0.weight'
  | 'token1.bias'
  | 'token1.weight'

export interface TgnnPlan {
  readonly spec: TgnnSpec
  /** Columns of a row. */
  readonly inputs: number
  /** Column of the first link. */
  readonly linksFrom: number
  /** Columns of a token: time encoding and the fields of a link but its age. */
  readonly tokenWidth: number
  /** Columns of a link that are averaged: all but its age. */
  readonly meanWidth: number
  readonly tokenHidden: number
  readonly channelHidden: number
  /** Columns that the link head reads: pair, both embeddings, both means. They end the columns of the edge head. */
  readonly linkInputs: number
  readonly headInputs: number
  readonly layout: readonly TensorShape[]
  readonly parameterCount: number
  /** Elements of the flat parameters where the encoder's tensors begin. */
  readonly encoder: Readonly<Record<EncoderTensor, number>>
  /** The edge head, and the link head behind it. */
  readonly head: DensePlan
  readonly linkHead: DensePlan
}

/** Cong et al. 2023, appendix: the hidden layer of token mixing has half as many tokens. */
const TOKEN_SHARE = 0.5
/** Theirs is 4; the second half of it cost a third of the speed and brought nothing here. */
const CHANNEL_FACTOR = 2

export function planTgnn(spec: TgnnSpec): TgnnPlan {
  const meanWidth = spec.linkFeatures - 1
  const tokenWidth = spec.timeDimensions + meanWidth
  const tokenHidden = Math.max(1, Math.floor(spec.links * TOKEN_SHARE))
  const channelHidden = spec.width * CHANNEL_FACTOR
  const linkInputs = spec.pairFeatures + 2 * spec.width + 2 * meanWidth
  const headInputs = spec.features + linkInputs
  const tensors = encoderTensors(spec, tokenWidth, tokenHidden, channelHidden)
  const { offsets, end } = place(tensors)
  const head = planDense('head.', [headInputs, ...spec.hidden, 1], end)
  const linkHead = planDense('link.', [linkInputs, spec.width, 1], head.end)
  return {
    spec,
    inputs: spec.features + spec.pairFeatures + 2 * spec.links * spec.linkFeatures,
    linksFrom: spec.features + spec.pairFeatures,
    tokenWidth,
    meanWidth,
    tokenHidden,
    channelHidden,
    linkInputs,
    headInputs,
    layout: [
      ...tensors.map(({ name, shape }) => ({ name: `encoder.${name}`, shape })),
      ...head.layout,
      ...linkHead.layout,
    ],
    parameterCount: linkHead.end,
    encoder: offsets,
    head,
    linkHead,
  }
}

function encoderTensors(
  { width, links }: TgnnSpec,
  tokenWidth: number,
  tokenHidden: number,
  channelHidden: number,
): (Tensor & { name: EncoderTensor })[] {
  return [
    { name: 'channel0.bias', shape: [channelHidden] },
    { name: 'channel0.weight', shape: [width, channelHidden] },
    { name: 'channel1.bias', shape: [width] },
    { name: 'channel1.weight', shape: [channelHidden, width] },
    { name: 'input.bias', shape: [width] },
    { name: 'input.weight', shape: [tokenWidth, width] },
    { name: 'norm0.bias', shape: [width] },
    { name: 'norm0.gain', shape: [width] },
    { name: 'norm1.bias', shape: [width] },
    { name: 'norm1.gain', shape: [width] },
    { name: 'token0.bias', shape: [tokenHidden] },
    { name: 'token0.weight', shape: [links, tokenHidden] },
    { name: 'token1.bias', shape: [links] },
    { name: 'token1.weight', shape: [tokenHidden, links] },
  ]
}

function place(tensors: readonly (Tensor & { name: EncoderTensor })[]): {
  offsets: Record<EncoderTensor, number>
  end: number
} {
  const offsets: Partial<Record<EncoderTensor, number>> = {}
  let end = 0
  for (const { name, shape } of tensors) {
    offsets[name] = end
    end += shape.reduce((product, size) => product * size, 1)
  }
  return { offsets: offsets as Record<EncoderTensor, number>, end }
}

/** Seconds that the fastest frequency takes for one radian. */
export const TIME_UNIT_SECONDS = 10

/**
 * Frequencies of the fixed time encoding, a second: omega_i = alpha^(-(i - 1) / beta) with alpha = beta = sqrt(d) (Cong et
 * al. 2023, section 3.1).
 */
export function frequencies(dimensions: number): Float32Array {
  const alpha = Math.sqrt(dimensions)
  const ratio = expOf(logOf(alpha) / alpha)
  const omega = new Float32Array(dimensions)
  let value = 1 / TIME_UNIT_SECONDS
  for (let i = 0; i < dimensions; i++) {
    omega[i] = value
    value /= ratio
  }
  return omega
}

/**
 * Natural logarithm for x >= 1, by 2 atanh((y - 1) / (y + 1)) of y = x^(1/64). The engine's logarithm and power may differ
 * in their last bit; square roots may not.
 */
function logOf(x: number): number {
  let root = x
  for (let i = 0; i < 6; i++) root = Math.sqrt(root)
  const s = (root - 1) / (root + 1)
  const z = s * s
  let sum = 0
  for (let odd = 15; odd >= 1; odd -= 2) sum = sum * z + 1 / odd
  return 128 * s * sum
}

/** e^x for x from 0 to 1, by its series. */
function expOf(x: number): number {
  let sum = 1
  for (let n = 20; n >= 1; n--) sum = 1 + (x / n) * sum
  return sum
}
