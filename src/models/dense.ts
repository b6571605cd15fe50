/** A stack of dense layers, ReLU between them: the perceptron, and the heads of the temporal graph network. */

import type { Prng } from '../base/prng.ts'
import type { Kernels } from './kernels/kernels.ts'
import type { TensorShape } from './model.ts'

/** One dense layer; offsets count elements of the flat parameters. */
export interface Layer {
  readonly inputs: number
  readonly outputs: number
  /** inputs * outputs, row-major. */
  readonly weights: number
  readonly bias: number
}

export interface DensePlan {
  readonly layers: readonly Layer[]
  readonly layout: readonly TensorShape[]
  /** First element behind the stack. */
  readonly end: number
}

/** Layers from element `start` on. Names sort as layers do: two digits are enough for the layers that a specification may have. */
export function planDense(prefix: string, widths: readonly number[], start: number): DensePlan {
  const layout: TensorShape[] = []
  const layers: Layer[] = []
  let end = start
  for (let i = 0; i + 1 < widths.length; i++) {
    const inputs = widths[i] ?? 0
    const outputs = widths[i + 1] ?? 0
    const name = `${prefix}layer${String(i).padStart(2, '0')}`
    layout.push({ name: `${name}.bias`, shape: [outputs] }, { name: `${name}.weight`, shape: [inputs, outputs] })
    layers.push({ inputs, outputs, bias: end, weights: end + outputs })
    end += outputs + inputs * outputs
  }
  return { layers, layout, end }
}

/** He et al. 2015, uniform: bound sqrt(6 / inputs); biases stay. Uniform, since a normal needs the engine's logarithm. */
export function initialiseDense(layers: readonly Layer[], parameters: Float32Array, random: Prng): void {
  for (const { inputs, outputs, weights } of layers) {
    const bound = Math.sqrt(6 / inputs)
    for (let i = 0; i < inputs * outputs; i++) parameters[weights + i] = (2 * random.uniform() - 1) * bound
  }
}

/** Offsets in the kernels' memory of the input and of the output of each layer, for a batch. */
export interface Activations {
  readonly offsets: readonly number[]
  release(): void
}

export function allocateDense(layers: readonly Layer[], kernels: Kernels, batchSize: number): Activations {
  const widths = [layers[0]?.inputs ?? 0, ...layers.map(({ outputs }) => outputs)]
  const offsets = widths.map((width) => kernels.arena.allocate(4 * width * batchSize))
  return { offsets, release: () => offsets.forEach((offset) => kernels.arena.release(offset)) }
}

/** Fills the outputs of all layers from the first `rows` rows of the input; `parameters` is an offset in the memory. */
export function forwardDense(
  layers: readonly Layer[],
  kernels: Kernels,
  parameters: number,
  offsets: readonly number[],
  rows: number,
): void {
  const { raw, scratch } = kernels
  layers.forEach(({ inputs, outputs, weights, bias }, i) => {
    const input = offsets[i] ?? 0
    const output = offsets[i + 1] ?? 0
    raw.gemm(input, inputs, 1, parameters + 4 * weights, outputs, 1, output, rows, outputs, inputs, 0, scratch)
    raw.biasRelu(output, parameters + 4 * bias, rows, outputs, i + 1 < layers.length ? 1 : 0)
  })
}

export interface DenseGradients {
  /** Offset of the parameters, and of the gradient by them, whose elements of these layers are written. */
  readonly parameters: number
  readonly gradient: number
  /** What {@link forwardDense} left. */
  readonly activations: readonly number[]
  /** Gradients by the activations; the last is given, those before are written. */
  readonly deltas: readonly number[]
  /** Write the gradient by the input, too. */
  readonly toInput: boolean
}

export function backwardDense(layers: readonly Layer[], kernels: Kernels, of: DenseGradients, rows: number): void {
  const { raw, scratch } = kernels
  const { parameters, gradient, activations, deltas } = of
  for (let i = layers.length - 1; i >= 0; i--) {
    const layer = layers[i]
    if (layer === undefined) continue
    const { inputs, outputs } = layer
    const input = activations[i] ?? 0
    const delta = deltas[i + 1] ?? 0
    raw.columnSums(delta, gradient + 4 * layer.bias, rows, outputs)
    raw.gemm(input, 1, inputs, delta, outputs, 1, gradient + 4 * layer.weights, inputs, outputs, rows, 0, scratch)
    if (i === 0 && !of.toInput) continue
    const below = deltas[i] ?? 0
    raw.gemm(delta, outputs, 1, parameters + 4 * layer.weights, 1, outputs, below, rows, inputs, outputs, 0, scratch)
    if (i > 0) raw.reluBackward(below, input, rows * inputs)
  }
}
