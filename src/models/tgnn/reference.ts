/**
 * The network in float64, one row at a time, in plain loops: what the kernels are held against. Tests only; nothing of the
 * program runs it.
 */

import type { LabelledBatchSource, Objective } from '../model.ts'
import { type EncoderTensor, frequencies, planTgnn, type TgnnPlan } from './plan.ts'
import type { TgnnSpec } from '../model.ts'

type Vector = Float64Array<ArrayBuffer>

/** y = x W + b; W is row-major inputs by outputs at `weights`. */
function affine(p: Vector, x: Vector, weights: number, bias: number, outputs: number): Vector {
  return Float64Array.from({ length: outputs }, (_, j) => {
    let sum = p[bias + j] as number
    for (let i = 0; i < x.length; i++) sum += (x[i] as number) * (p[weights + i * outputs + j] as number)
    return sum
  })
}

/** Adds the gradients of {@link affine} to `g`; returns that by x. */
function affineBackward(p: Vector, g: Vector, x: Vector, delta: Vector, weights: number, bias: number): Vector {
  const outputs = delta.length
  const below = new Float64Array(x.length)
  delta.forEach((d, j) => {
    g[bias + j] = (g[bias + j] as number) + d
    for (let i = 0; i < x.length; i++) {
      const at = weights + i * outputs + j
      g[at] = (g[at] as number) + d * (x[i] as number)
      below[i] = (below[i] as number) + d * (p[at] as number)
    }
  })
  return below
}

const relu = (x: Vector): Vector => x.map((value) => Math.max(0, value))
const through = (delta: Vector, active: Vector): Vector => delta.map((d, i) => ((active[i] as number) > 0 ? d : 0))
const plus = (x: Vector, y: Vector): Vector => x.map((value, i) => value + (y[i] as number))

interface Normalised {
  readonly out: Vector
  readonly normal: Vector
  readonly inverse: number
}

function normalise(p: Vector, x: Vector, gain: number, bias: number): Normalised {
  const n = x.length
  const mean = x.reduce((sum, value) => sum + value, 0) / n
  const inverse = 1 / Math.sqrt(x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / n + 1e-5)
  const normal = x.map((value) => (value - mean) * inverse)
  const out = normal.map((value, i) => value * (p[gain + i] as number) + (p[bias + i] as number))
  return { out, normal, inverse }
}

function normaliseBackward(p: Vector, g: Vector, of: Normalised, delta: Vector, gain: number, bias: number): Vector {
  const { normal, inverse } = of
  const n = delta.length
  delta.forEach((d, i) => {
    g[gain + i] = (g[gain + i] as number) + d * (normal[i] as number)
    g[bias + i] = (g[bias + i] as number) + d
  })
  const h = delta.map((d, i) => d * (p[gain + i] as number))
  const mean = h.reduce((sum, value) => sum + value, 0) / n
  const mixed = h.reduce((sum, value, i) => sum + value * (normal[i] as number), 0) / n
  return h.map((value, i) => (value - mean - (normal[i] as number) * mixed) * inverse)
}

/** What the forward pass over one end keeps. */
interface EndPass {
  readonly present: readonly boolean[]
  readonly tokens: readonly Vector[]
  readonly norm0: readonly Normalised[]
  readonly hidden: readonly Vector[]
  readonly norm1: readonly Normalised[]
  readonly inner: readonly Vector[]
  readonly embedding: Vector
  readonly mean: Vector
}

class Reference {
  readonly plan: TgnnPlan
  readonly p: Vector
  readonly g: Vector
  private readonly omega: Float32Array

  constructor(spec: TgnnSpec, parameters: Vector) {
    this.plan = planTgnn(spec)
    this.p = parameters
    this.g = new Float64Array(parameters.length)
    this.omega = frequencies(spec.timeDimensions)
  }

  private at(name: EncoderTensor): number {
    return this.plan.encoder[name]
  }

  private tokensOf(links: Float32Array): { tokens: Vector[]; present: boolean[] } {
    const { links: k, linkFeatures } = this.plan.spec
    const rows = Array.from({ length: k }, (_, i) => links.subarray(i * linkFeatures, (i + 1) * linkFeatures))
    const present = rows.map((row) => (row[0] as number) >= 0)
    const tokens = rows.map((row, i) => {
      if (present[i] !== true) return new Float64Array(this.plan.tokenWidth)
      const times = Array.from(this.omega, (w) => Math.cos((row[0] as number) * w))
      return Float64Array.from([...times, ...row.subarray(1)])
    })
    return { tokens, present }
  }

  forwardEnd(links: Float32Array): EndPass {
    const { p, plan } = this
    const { width, links: k, timeDimensions } = plan.spec
    const { tokens, present } = this.tokensOf(links)
    const zero = new Float64Array(width)
    const projected = tokens.map((token, i) =>
      present[i] === true ? affine(p, token, this.at('input.weight'), this.at('input.bias'), width) : zero,
    )
    const norm0 = projected.map((row) => normalise(p, row, this.at('norm0.gain'), this.at('norm0.bias')))
    const columns = Array.from({ length: width }, (_, c) =>
      Float64Array.from({ length: k }, (_row, i) => (present[i] === true ? (norm0[i]?.out[c] as number) : 0)),
    )
    const hidden = columns.map((column) =>
      relu(affine(p, column, this.at('token0.weight'), this.at('token0.bias'), plan.tokenHidden)),
    )
    const mixes = hidden.map((column) => affine(p, column, this.at('token1.weight'), this.at('token1.bias'), k))
    const mixed = projected.map((row, i) => row.map((value, c) => value + (mixes[c]?.[i] as number)))
    const norm1 = mixed.map((row) => normalise(p, row, this.at('norm1.gain'), this.at('norm1.bias')))
    const inner = norm1.map(({ out }) =>
      relu(affine(p, out, this.at('channel0.weight'), this.at('channel0.bias'), plan.channelHidden)),
    )
    const encoded = inner.map((row, i) =>
      plus(mixed[i] as Vector, affine(p, row, this.at('channel1.weight'), this.at('channel1.bias'), width)),
    )
    const means = tokens.map((token) => token.slice(timeDimensions))
    const [embedding, mean] = [meanOf(encoded, present), meanOf(means, present)]
    return { present, tokens, norm0, hidden, norm1, inner, embedding, mean }
  }

  backwardEnd(pass: EndPass, delta: Vector): void {
    const { p, g, plan } = this
    const { width } = plan.spec
    const count = Math.max(1, pass.present.filter(Boolean).length)
    const residual = pass.tokens.map((_, i) => {
      const d = delta.map((value) => (pass.present[i] === true ? value / count : 0))
      const inner = pass.inner[i] as Vector
      const gi = affineBackward(p, g, inner, d, this.at('channel1.weight'), this.at('channel1.bias'))
      const norm = pass.norm1[i] as Normalised
      const gn = affineBackward(
        p,
        g,
        norm.out,
        through(gi, inner),
        this.at('channel0.weight'),
        this.at('channel0.bias'),
      )
      return plus(d, normaliseBackward(p, g, norm, gn, this.at('norm1.gain'), this.at('norm1.bias')))
    })
    const below = pass.tokens.map(() => new Float64Array(width))
    for (let c = 0; c < width; c++) {
      const column = Float64Array.from(residual, (row) => row[c] as number)
      const active = pass.hidden[c] as Vector
      const gh = affineBackward(p, g, active, column, this.at('token1.weight'), this.at('token1.bias'))
      const input = Float64Array.from(pass.norm0, ({ out }, i) => (pass.present[i] === true ? (out[c] as number) : 0))
      const gx = affineBackward(p, g, input, through(gh, active), this.at('token0.weight'), this.at('token0.bias'))
      gx.forEach((value, i) => ((below[i] as Vector)[c] = pass.present[i] === true ? value : 0))
    }
    pass.tokens.forEach((token, i) => {
      if (pass.present[i] !== true) return
      const norm = pass.norm0[i] as Normalised
      const gn = normaliseBackward(p, g, norm, below[i] as Vector, this.at('norm0.gain'), this.at('norm0.bias'))
      affineBackward(p, g, token, plus(residual[i] as Vector, gn), this.at('input.weight'), this.at('input.bias'))
    })
  }

  /** Loss of one row, not weighted; its gradient times `weight` is added when `weight` is not 0. */
  row(row: Float32Array, label: number, objective: Objective, weight: number): number {
    const { p, g, plan } = this
    const { features, pairFeatures, links, linkFeatures, width } = plan.spec
    const of = links * linkFeatures
    const source = this.forwardEnd(row.subarray(plan.linksFrom, plan.linksFrom + of))
    const destination = this.forwardEnd(row.subarray(plan.linksFrom + of))
    const own = row.subarray(objective === 'link' ? features : 0, features + pairFeatures)
    const { layers } = objective === 'link' ? plan.linkHead : plan.head
    const inputs = [...own, ...source.embedding, ...destination.embedding, ...source.mean, ...destination.mean]
    const activations: Vector[] = [Float64Array.from(inputs)]
    layers.forEach(({ weights, bias, outputs }, i) => {
      const out = affine(p, activations[i] as Vector, weights, bias, outputs)
      activations.push(i + 1 < layers.length ? relu(out) : out)
    })
    const logit = activations.at(-1)?.[0] as number
    if (weight !== 0) {
      let delta: Vector = Float64Array.of(weight * (1 / (1 + Math.exp(-logit)) - label))
      for (let i = layers.length - 1; i >= 0; i--) {
        const layer = layers[i] as (typeof layers)[number]
        delta = affineBackward(p, g, activations[i] as Vector, delta, layer.weights, layer.bias)
        if (i > 0) delta = through(delta, activations[i] as Vector)
      }
      this.backwardEnd(source, delta.slice(own.length, own.length + width))
      this.backwardEnd(destination, delta.slice(own.length + width, own.length + 2 * width))
    }
    return Math.max(logit, 0) + Math.log1p(Math.exp(-Math.abs(logit))) - label * logit
  }
}

function meanOf(rows: readonly Vector[], present: readonly boolean[]): Vector {
  const sum = new Float64Array(rows[0]?.length ?? 0)
  rows.forEach((row, i) => {
    if (present[i] === true) row.forEach((value, c) => (sum[c] = (sum[c] as number) + value))
  })
  const count = Math.max(1, present.filter(Boolean).length)
  return sum.map((value) => value / count)
}

const weightOf = (data: LabelledBatchSource, row: number, positiveWeight: number): number =>
  (data.labels[row] === 1 ? positiveWeight : 1) * (data.weights?.[row] ?? 1)

/** Weighted mean loss of all rows, and its gradient when it is asked for. */
export function referenceLoss(
  spec: TgnnSpec,
  parameters: Vector,
  data: LabelledBatchSource,
  options: { readonly objective: Objective; readonly positiveWeight: number; readonly gradient: boolean },
): { readonly loss: number; readonly gradient: Vector } {
  const reference = new Reference(spec, parameters)
  const weights = Array.from({ length: data.rows }, (_, row) => weightOf(data, row, options.positiveWeight))
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  let loss = 0
  weights.forEach((weight, row) => {
    const features = data.features.subarray(row * data.width, (row + 1) * data.width)
    const scale = options.gradient ? weight / total : 0
    loss += (weight / total) * reference.row(features, data.labels[row] ?? 0, options.objective, scale)
  })
  return { loss, gradient: reference.g }
}
