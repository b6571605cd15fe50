/** What a model is to the rest of the program: flat parameters, a layout with names, training and scoring. */

import { fail } from '../base/errors.ts'
import type { Kernels } from './kernels/kernels.ts'
import type { PrivateMechanism, PrivateTraining } from './dp-sgd/private-training.ts'
import { createMlp } from './mlp.ts'
import { outlineOfPolicy } from './policy/policy.ts'
import { parsePolicySpec, type PolicySpec } from './policy/spec.ts'
import { createTgnn } from './tgnn/tgnn.ts'

/** Multi-layer perceptron: `inputs` features, ReLU layers of the widths `hidden`, one logit. */
export interface MlpSpec {
  readonly kind: 'mlp'
  readonly inputs: number
  readonly hidden: readonly number[]
}

/**
 * Temporal graph network over rows of [features | pairFeatures | links of the source | links of the destination], a link
 * being its age in seconds (negative = none) and linkFeatures - 1 other columns; tgnn/README.md.
 */
export interface TgnnSpec {
  readonly kind: 'tgnn'
  /** Columns of the interaction's own features. */
  readonly features: number
  /** Columns that tell how the recent links of both ends overlap. */
  readonly pairFeatures: number
  /** Recent links of each end. */
  readonly links: number
  /** Columns of a link, its age the first. */
  readonly linkFeatures: number
  readonly timeDimensions: number
  /** Columns of a link inside the encoder, and of an embedding; a multiple of four. */
  readonly width: number
  /** Widths of the hidden layers of the edge head. */
  readonly hidden: readonly number[]
}

/** Models that score interactions. */
export type ThreatModelSpec = MlpSpec | TgnnSpec
/** All that can be trained together: threat models, and the policy that advises on responses (policy/). */
export type ModelSpec = ThreatModelSpec | PolicySpec

/** What a model learns: attacks from labels, or which links there are, where nobody has labels. */
export type Objective = 'supervised' | 'link'

export interface TrainOptions {
  /** Passes over the rows. */
  readonly epochs: number
  /**
   * Rows that a pass visits, others each time; null or absent = all. Short rounds keep organisations of different labels
   * together: what one learns is averaged before it has drifted.
   */
  readonly rowsPerEpoch?: number | null
  readonly batchSize: number
  readonly learningRate: number
  readonly optimiser: 'adam' | 'sgd'
  /** FedProx: weight of `mu/2 ||w - w_start||^2` (Li et al. 2020, equation 2); 0 turns it off. */
  readonly proximalMu: number
  /** Loss weight of a positive row; by default negatives over positives, bounded. */
  readonly positiveWeight?: number
  /** Names the purpose, so that every shuffle is reproducible. */
  readonly seed: string
  /** `head`: all but the head keeps its bits, for a local head on a shared body. A perceptron is all head. Default `all`. */
  readonly trainable?: 'all' | 'head'
  /** Which head of a temporal graph network is trained; labels of `link` rows: 1 = made up. Default `supervised`. */
  readonly objective?: Objective
  /**
   * Differential privacy of single rows: so many steps on Poisson samples take the place of epochs, `batchSize` is what
   * sums are divided by, and no class weighs more.
   */
  readonly privately?: PrivateTraining
}

/** Values that are not in memory, read when they are needed. */
export interface RowReader {
  readonly length: number
  /** Copies the values from number `from` on until `into` is full. */
  read(from: number, into: Float32Array): void
}

/** What a model is trained on. */
export interface TrainingSource {
  readonly rows: number
  readonly width: number
  /** Row-major, rows * width. */
  readonly features: Float32Array | RowReader
  /** 0 benign, 1 attack; one a row. */
  readonly labels: Uint8Array
  /** Extra loss weight of each row. */
  readonly weights?: Float32Array
}

/** All of it in memory. */
export interface LabelledBatchSource extends TrainingSource {
  readonly features: Float32Array
}

export interface TrainResult {
  readonly parameters: Float32Array
  /** Mean weighted loss of the last epoch. */
  readonly loss: number
  /** Optimiser steps taken. */
  readonly steps: number
  /** Of private training: what was done. */
  readonly mechanism?: PrivateMechanism
}

export interface TensorShape {
  readonly name: string
  readonly shape: readonly number[]
}

export interface Model {
  readonly spec: ThreatModelSpec
  /** Columns of a row. */
  readonly inputs: number
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
    data: TrainingSource,
    options: TrainOptions,
    onEpoch?: (epoch: number, loss: number) => void,
  ): TrainResult
  /**
   * Logit of P(attack) of each row: higher is worse. Logits and not probabilities, since those saturate into ties. With
   * objective `link`, of P(made up): it rises with the surprise -log P(the link is real). A perceptron has one head only.
   */
  score(parameters: Float32Array, features: Float32Array, rows: number, objective?: Objective): Float32Array
}

const WIDTH_MAX = 65536
const LAYERS_MAX = 32
/** Recent links of a host that a model may read. */
export const LINKS_MAX = 64

/** @throws model-invalid unless the value is a specification that this version can build */
export function parseModelSpec(value: unknown): ModelSpec {
  const spec = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  if (spec['kind'] === 'mlp') return { kind: 'mlp', inputs: widthOf(spec, 'inputs'), hidden: hiddenOf(spec) }
  if (spec['kind'] === 'tgnn') return parseTgnn(spec)
  if (spec['kind'] === 'policy') return parsePolicySpec(spec)
  fail(
    'model-invalid',
    `there is no model of kind ${JSON.stringify(spec['kind'])}; this version knows "mlp", "tgnn" and "policy"`,
  )
}

function parseTgnn(spec: Record<string, unknown>): TgnnSpec {
  const links = widthOf(spec, 'links')
  const width = widthOf(spec, 'width')
  if (links > LINKS_MAX) fail('model-invalid', `links must be at most ${LINKS_MAX}`)
  if (width % 4 !== 0) fail('model-invalid', 'width must be a multiple of four')
  return {
    kind: 'tgnn',
    features: widthOf(spec, 'features'),
    pairFeatures: widthOf(spec, 'pairFeatures'),
    links,
    linkFeatures: widthOf(spec, 'linkFeatures', 2),
    timeDimensions: widthOf(spec, 'timeDimensions'),
    width,
    hidden: hiddenOf(spec),
  }
}

function widthOf(spec: Record<string, unknown>, name: string, least = 1): number {
  const value = spec[name]
  if (isWidth(value) && value >= least) return value
  fail('model-invalid', `${name} must be an integer from ${least} to ${WIDTH_MAX}`)
}

function hiddenOf({ hidden }: Record<string, unknown>): number[] {
  if (Array.isArray(hidden) && hidden.length <= LAYERS_MAX && hidden.every(isWidth)) return [...hidden]
  fail('model-invalid', `hidden must list at most ${LAYERS_MAX} widths from 1 to ${WIDTH_MAX}`)
}

function isWidth(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= WIDTH_MAX
}

/** What rounds, blocks and files know of a model of any kind. */
export type Outline = Pick<Model, 'layout' | 'parameterCount' | 'initialise'>

/** @throws model-invalid */
export function outlineOf(spec: ModelSpec, kernels: Kernels): Outline {
  return spec.kind === 'policy' ? outlineOfPolicy(spec) : createModel(spec, kernels)
}

/** A model that scores. @throws model-invalid, also for a policy, which does not */
export function createModel(spec: ModelSpec, kernels: Kernels): Model {
  const parsed = parseModelSpec(spec)
  if (parsed.kind === 'policy') fail('model-invalid', 'a response policy does not score interactions')
  return parsed.kind === 'mlp' ? createMlp(parsed, kernels) : createTgnn(parsed, kernels)
}
