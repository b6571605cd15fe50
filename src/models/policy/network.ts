/** Actor and critic in the kernels' memory, whichever way they are built. */

import type { Kernels } from '../kernels/kernels.ts'
import { openAlike } from './network-alike.ts'
import { openApart } from './network-apart.ts'
import type { PolicyPlan } from './plan.ts'

/** Blocks of memory, each with a second one for the gradient by it; for at most `rowsMax` rows. */
export interface PolicyNetwork {
  /** rows x slots x features: what the caller fills. */
  readonly input: number
  /** rows x actions in the order of the environment (kind by kind), and the gradient by them. */
  readonly logits: number
  readonly logitsGradient: number
  readonly values: number
  readonly valuesGradient: number
  /** Logits and values from the input. */
  forward(rows: number): void
  /** Gradients of all parameters from those by logits and values. */
  backward(rows: number): void
  release(): void
}

/** `parameters` and `gradient` are offsets of the whole flat vectors. */
export function openNetwork(
  { network }: PolicyPlan,
  kernels: Kernels,
  parameters: number,
  gradient: number,
  rowsMax: number,
): PolicyNetwork {
  return network.kind === 'alike'
    ? openAlike(network, kernels, parameters, gradient, rowsMax)
    : openApart(network, kernels, parameters, gradient, rowsMax)
}
