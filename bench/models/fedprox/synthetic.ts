/**
 * The synthetic federated sets of FedProx (Li, Sahu, Zaheer, Sanjabi, Talwalkar, Smith: "Federated Optimization in
 * Heterogeneous Networks", MLSys 2020, appendix C.1, after Shamir et al. 2014): 30 devices, 60 features, 10 classes,
 * y = argmax softmax(W x + b).
 */

import { type Prng, prng } from '../../../src/base/prng.ts'

export const FEATURES = 60
export const CLASSES = 10
export const DEVICES = 30

export interface Samples {
  readonly rows: number
  /** rows * FEATURES, row-major. */
  readonly features: Float32Array
  readonly labels: Uint8Array
}

export interface Device {
  readonly id: string
  readonly training: Samples
  readonly test: Samples
}

export interface SyntheticOptions {
  /** How much the models of devices differ, and how much their data; ignored for `iid`. */
  readonly alpha: number
  readonly beta: number
  /** One model and one distribution for all. */
  readonly iid: boolean
  readonly seed: string
}

/** Covariance Sigma_jj = j^(-1.2). */
const DEVIATIONS = Float64Array.from({ length: FEATURES }, (_, j) => (j + 1) ** -0.6)
const TRAIN_SHARE = 0.9

export function syntheticDevices(options: SyntheticOptions): Device[] {
  const random = prng(`fedprox/${options.alpha}/${options.beta}/${options.iid}/${options.seed}`)
  const shared = options.iid ? drawModel(random, 0) : undefined
  return Array.from({ length: DEVICES }, (_, k) => {
    const model = shared ?? drawModel(random, random.normal() * Math.sqrt(options.alpha))
    const centre = options.iid ? 0 : random.normal() * Math.sqrt(options.beta)
    const means = Float64Array.from({ length: FEATURES }, () => (options.iid ? 0 : centre + random.normal()))
    // Log-normal(4, 2) + 50 as in the authors' program; the largest devices are cut there to keep a run short.
    const rows = Math.min(2000, Math.floor(Math.exp(4 + 2 * random.normal())) + 50)
    return split(`device-${String(k).padStart(2, '0')}`, draw(rows, means, model, random))
  })
}

interface TrueModel {
  readonly weights: Float64Array
  readonly bias: Float64Array
}

function drawModel(random: Prng, mean: number): TrueModel {
  const values = (count: number): Float64Array => Float64Array.from({ length: count }, () => mean + random.normal())
  return { weights: values(FEATURES * CLASSES), bias: values(CLASSES) }
}

function draw(rows: number, means: Float64Array, { weights, bias }: TrueModel, random: Prng): Samples {
  const features = new Float32Array(rows * FEATURES)
  const labels = new Uint8Array(rows)
  for (let row = 0; row < rows; row++) {
    const x = features.subarray(row * FEATURES, (row + 1) * FEATURES)
    for (let j = 0; j < FEATURES; j++) x[j] = (means[j] ?? 0) + random.normal() * (DEVIATIONS[j] ?? 0)
    let best = -Infinity
    for (let c = 0; c < CLASSES; c++) {
      let logit = bias[c] ?? 0
      for (let j = 0; j < FEATURES; j++) logit += (x[j] ?? 0) * (weights[j * CLASSES + c] ?? 0)
      if (logit <= best) continue
      best = logit
      labels[row] = c
    }
  }
  return { rows, features, labels }
}

function split(id: string, { rows, features, labels }: Samples): Device {
  const cut = Math.floor(rows * TRAIN_SHARE)
  const part = (from: number, to: number): Samples => ({
    rows: to - from,
    features: features.subarray(from * FEATURES, to * FEATURES),
    labels: labels.subarray(from, to),
  })
  return { id, training: part(0, cut), test: part(cut, rows) }
}
