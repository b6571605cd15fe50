/** What a model is to the rest of the program: flat parameters, a layout with names, training and scoring. */

import { fail } from '../base/errors.ts'
import type { Kernels } from './kernels/kernels.ts'
import { createMlp } from './mlp.ts'

/** Multi-layer perceptron: `inputs` features, ReLU layers of the widths `hidden`, one logit. */
export interface MlpSpec {
  readonly kind: 'mlp'
  readonly inputs: number
  readonly hidden: readonly number[]
}

export type ModelSpec = MlpSpec

export interface TrainOptions {
  /** Passes over the rows. */
  readonly epochs: number
  readonly batchSize: number
  readonly learningRate: number
  readonly optimiser: 'adam' | 'sgd'
  /** FedProx: weight of `mu/2 ||w - w_start||^2` (Li et al. 2020, equation 2); 0 turns it off. */
  readonly proximalMu: number
  /** Loss weight of a positive row; by default negatives over positives, bounded. */
  readonly positiveWeight?: number
  /** Names the purpose, so that every shuffle is reproducible. */
  readonly seed: string
}

export interface LabelledBatchSource {
  readonly rows: number
  readonly width: number
  /** Row-major, rows * width. */
  readonly features: Float32Array
  /** 0 benign, 1 attack; one a row. */
  readonly labels: Uint8Array
  /** Extra loss weight of each row. */
  readonly weights?: Float32Array
}

export interface TrainResult {
  readonly parameters: Float32Array
  /** Mean weighted loss of the last epoch. */
  readonly loss: number
  /** Optimiser steps taken. */
  readonly steps: number
}

export interface TensorShape {
  readonly name: string
  readonly shape: readonly number[]
}

export interface Model {
  readonly spec: ModelSpec
  /** Sorted by name: the order of the flat parameters and of the file. */
  readonly layout: readonly TensorShape[]
  readonly parameterCount: number
  /** Flat parameters in layout order; the same seed gives the same bits. */
  initialise(seed: string): Float32Array
  /**
   * Local training from `parameters`, which is left as it is. The same arguments give the same bits on any machine.
   * @throws wrong-shape, no-data; not-finite when training diverged
   */
  train(
    parameters: Float32Array,
    data: LabelledBatchSource,
    options: TrainOptions,
    onEpoch?: (epoch: number, loss: number) => void,
  ): TrainResult
  /** Logit of P(attack) of each row: higher is worse. Logits and not probabilities, since those saturate into ties. */
  score(parameters: Float32Array, features: Float32Array, rows: number): Float32Array
}

const WIDTH_MAX = 65536
const LAYERS_MAX = 32

/** @throws model-invalid unless the value is a specification that this version can build */
export function parseModelSpec(value: unknown): ModelSpec {
  const spec = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  const { kind, inputs, hidden } = spec
  if (kind !== 'mlp')
    fail('model-invalid', `there is no model of kind ${JSON.stringify(kind)}; this version knows "mlp"`)
  if (!isWidth(inputs)) fail('model-invalid', `inputs must be an integer from 1 to ${WIDTH_MAX}`)
  if (!Array.isArray(hidden) || hidden.length > LAYERS_MAX || !hidden.every(isWidth))
    fail('model-invalid', `hidden must list at most ${LAYERS_MAX} widths from 1 to ${WIDTH_MAX}`)
  return { kind: 'mlp', inputs, hidden: [...hidden] }
}

function isWidth(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= WIDTH_MAX
}

/** @throws model-invalid */
export function createModel(spec: ModelSpec, kernels: Kernels): Model {
  return createMlp(parseModelSpec(spec), kernels)
}
