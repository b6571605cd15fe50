/** Optimisers of local training, with the proximal term of FedProx. */

import type { KernelExports } from './kernels/exports.ts'
import type { TrainOptions } from './model.ts'

/** Offsets in the kernels' memory; `moments` holds two vectors of the length of the parameters. */
export interface OptimiserMemory {
  readonly parameters: number
  readonly gradient: number
  /** Where this training began: the centre of the proximal term. */
  readonly anchor: number
  readonly moments: number
}

export interface Optimiser {
  /** One step along the gradient in memory; at the configured learning rate unless told. */
  step(rate?: number): void
}

const BETA1 = 0.9
const BETA2 = 0.999
const EPSILON = 1e-8

export function createOptimiser(
  raw: KernelExports,
  memory: OptimiserMemory,
  n: number,
  options: Pick<TrainOptions, 'optimiser' | 'learningRate' | 'proximalMu'>,
): Optimiser {
  const { parameters, gradient, anchor, moments } = memory
  const { learningRate, proximalMu } = options
  // Powers by repeated multiplication: the engine's pow is not the same function everywhere.
  let beta1Power = 1
  let beta2Power = 1

  function adam(at: number): void {
    beta1Power *= BETA1
    beta2Power *= BETA2
    const rate = at / (1 - beta1Power)
    const scale = 1 / Math.sqrt(1 - beta2Power)
    raw.adam(parameters, gradient, moments, moments + 4 * n, n, rate, BETA1, BETA2, EPSILON, scale)
  }

  function step(rate = learningRate): void {
    if (proximalMu > 0) raw.proximal(gradient, parameters, anchor, n, proximalMu)
    if (options.optimiser === 'adam') adam(rate)
    else raw.sgd(parameters, gradient, n, rate)
  }

  return { step }
}
