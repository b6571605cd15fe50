/**
 * The gradient of one example through a perceptron, clipped, in whole steps of a grid. Its norm is known before any weight
 * gradient is written: that of a dense layer with bias is (|a|^2 + 1) |g|^2 for its input a and the gradient g of its
 * output (Goodfellow 2015, "Efficient per-example gradient computations").
 */

import type { Layer } from '../dense.ts'

export interface Example {
  readonly features: Float32Array
  /** Index of the example's first feature. */
  readonly from: number
  readonly label: number
}

export interface ClippedGradients {
  /**
   * Adds the clipped gradient of the logistic loss of one example to `sum`, rounded towards zero to whole steps: so no
   * example moves the sum by more than clip / step in L2 norm, exactly. One whose gradient is not finite adds nothing.
   * Returns the norm before clipping.
   */
  add(sum: Float64Array, parameters: Float32Array, example: Example): number
}

/** Rounding of norms and products in float64 stays below this. */
const SLACK = 1 - 1e-9

/** `layers` of a perceptron with ReLU between them and one logit; `step` is the width of the grid. */
export function clippedGradients(layers: readonly Layer[], clip: number, step: number): ClippedGradients {
  const inputs = layers.map((layer) => new Float64Array(layer.inputs))
  const deltas = layers.map((layer) => new Float64Array(layer.outputs))

  function add(sum: Float64Array, parameters: Float32Array, { features, from, label }: Example): number {
    const first = inputs[0] as Float64Array
    for (let j = 0; j < first.length; j++) first[j] = features[from + j] as number
    forward(layers, parameters, inputs, deltas)
    const last = deltas.at(-1) as Float64Array
    last[0] = 1 / (1 + Math.exp(-(last[0] as number))) - label
    backward(layers, parameters, inputs, deltas)
    const norm = Math.sqrt(layers.reduce((total, _, i) => total + squaredNorm(inputs[i], deltas[i]), 0))
    if (!Number.isFinite(norm) || norm === 0) return norm
    const factor = (Math.min(1, clip / norm) * SLACK) / step
    layers.forEach((layer, i) => accumulate(sum, layer, inputs[i] as Float64Array, deltas[i] as Float64Array, factor))
    return norm
  }

  return { add }
}

/** Leaves the input of each layer in `inputs`, and the logit in the last of `outputs`. */
function forward(
  layers: readonly Layer[],
  parameters: Float32Array,
  inputs: readonly Float64Array[],
  outputs: readonly Float64Array[],
): void {
  layers.forEach(({ weights, bias, outputs: width }, i) => {
    const [input, output, next] = [inputs[i] as Float64Array, outputs[i] as Float64Array, inputs[i + 1]]
    for (let k = 0; k < width; k++) output[k] = parameters[bias + k] as number
    for (let j = 0; j < input.length; j++) {
      const value = input[j] as number
      if (value === 0) continue
      for (let k = 0; k < width; k++)
        output[k] = (output[k] as number) + value * (parameters[weights + j * width + k] as number)
    }
    if (next !== undefined) for (let k = 0; k < width; k++) next[k] = Math.max(0, output[k] as number)
  })
}

/** From the gradient of the logit to those of all layers' outputs. */
function backward(
  layers: readonly Layer[],
  parameters: Float32Array,
  inputs: readonly Float64Array[],
  deltas: readonly Float64Array[],
): void {
  for (let i = layers.length - 1; i > 0; i--) {
    const { weights, outputs: width } = layers[i] as Layer
    const [above, below, input] = [deltas[i] as Float64Array, deltas[i - 1] as Float64Array, inputs[i] as Float64Array]
    for (let j = 0; j < below.length; j++) {
      let gradient = 0
      if ((input[j] as number) > 0)
        for (let k = 0; k < width; k++)
          gradient += (above[k] as number) * (parameters[weights + j * width + k] as number)
      below[j] = gradient
    }
  }
}

function squaredNorm(input: Float64Array | undefined, delta: Float64Array | undefined): number {
  const square = (values: Float64Array | undefined): number =>
    values?.reduce((sum, value) => sum + value * value, 0) ?? 0
  return (square(input) + 1) * square(delta)
}

function accumulate(sum: Float64Array, layer: Layer, input: Float64Array, delta: Float64Array, factor: number): void {
  const { weights, bias, outputs: width } = layer
  for (let k = 0; k < width; k++) {
    const scaled = (delta[k] as number) * factor
    if (scaled === 0) continue
    sum[bias + k] = (sum[bias + k] as number) + Math.trunc(scaled)
    for (let j = 0; j < input.length; j++) {
      const at = weights + j * width + k
      sum[at] = (sum[at] as number) + Math.trunc(scaled * (input[j] as number))
    }
  }
}
