/** Forward and backward of actor and critic with slots apart: two perceptrons over one input. */

import { allocateDense, backwardDense, forwardDense } from '../dense.ts'
import type { Kernels } from '../kernels/kernels.ts'
import type { PolicyNetwork } from './network.ts'
import type { ApartPlan } from './plan-apart.ts'

/** `parameters` and `gradient` are offsets of the whole flat vectors. */
export function openApart(
  { actor, critic }: ApartPlan,
  kernels: Kernels,
  parameters: number,
  gradient: number,
  rowsMax: number,
): PolicyNetwork {
  const blocks = [actor, critic].flatMap((layers) => [0, 1].map(() => allocateDense(layers, kernels, rowsMax)))
  const [acting = [], actingDeltas = [], own = [], judgingDeltas = []] = blocks.map(({ offsets }) => offsets)
  const input = acting[0] ?? 0
  const judging = [input, ...own.slice(1)]
  const common = { parameters, gradient, toInput: false }
  return {
    input,
    logits: acting.at(-1) ?? 0,
    logitsGradient: actingDeltas.at(-1) ?? 0,
    values: judging.at(-1) ?? 0,
    valuesGradient: judgingDeltas.at(-1) ?? 0,
    forward(rows) {
      forwardDense(actor, kernels, parameters, acting, rows)
      forwardDense(critic, kernels, parameters, judging, rows)
    },
    backward(rows) {
      backwardDense(actor, kernels, { ...common, activations: acting, deltas: actingDeltas }, rows)
      backwardDense(critic, kernels, { ...common, activations: judging, deltas: judgingDeltas }, rows)
    },
    release: () => blocks.forEach((block) => block.release()),
  }
}
