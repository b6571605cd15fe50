/** Where each tensor of a policy lies in its flat parameters, and how they begin. */

import { prng } from '../../base/prng.ts'
import { initialiseDense, type Layer, planDense } from '../dense.ts'
import type { PolicySpec } from './spec.ts'

export interface PolicyPlan {
  readonly spec: PolicySpec
  /** Sorted by name. */
  readonly layout: readonly { readonly name: string; readonly shape: readonly number[] }[]
  readonly actor: readonly Layer[]
  readonly critic: readonly Layer[]
  readonly parameterCount: number
}

export function planPolicy(spec: PolicySpec): PolicyPlan {
  const actor = planDense('actor.', [spec.observations, ...spec.hidden, spec.actions], 0)
  const critic = planDense('critic.', [spec.observations, ...spec.hidden, 1], actor.end)
  return {
    spec,
    layout: [...actor.layout, ...critic.layout],
    actor: actor.layers,
    critic: critic.layers,
    parameterCount: critic.end,
  }
}

/** The last layers begin small: a policy that has seen nothing is nearly uniform, and values begin near 0. */
const LAST_LAYER_SCALE = 0.01

/** He et al. 2015, uniform; the same seed gives the same bits. */
export function initialisePolicy({ actor, critic, parameterCount }: PolicyPlan, seed: string): Float32Array {
  const parameters = new Float32Array(parameterCount)
  const random = prng(`policy/${seed}`)
  for (const layers of [actor, critic]) {
    initialiseDense(layers, parameters, random)
    const last = layers.at(-1)
    if (last === undefined) continue
    const end = last.weights + last.inputs * last.outputs
    for (let i = last.weights; i < end; i++) parameters[i] = (parameters[i] ?? 0) * LAST_LAYER_SCALE
  }
  return parameters
}
