/** Slots apart: actor and critic are perceptrons over the whole observation. */

import type { Prng } from '../../base/prng.ts'
import { initialiseDense, type Layer, planDense } from '../dense.ts'
import type { PolicySpec } from './spec.ts'

export interface ApartPlan {
  readonly kind: 'apart'
  readonly actor: readonly Layer[]
  readonly critic: readonly Layer[]
  readonly layout: readonly { readonly name: string; readonly shape: readonly number[] }[]
  readonly parameterCount: number
}

export function planApart({ observations, actions, hidden }: PolicySpec): ApartPlan {
  const actor = planDense('actor.', [observations, ...hidden, actions], 0)
  const critic = planDense('critic.', [observations, ...hidden, 1], actor.end)
  return {
    kind: 'apart',
    actor: actor.layers,
    critic: critic.layers,
    layout: [...actor.layout, ...critic.layout],
    parameterCount: critic.end,
  }
}

/** Last layers are scaled down by `last`. */
export function initialiseApart(
  { actor, critic }: ApartPlan,
  parameters: Float32Array,
  random: Prng,
  last: number,
): void {
  for (const layers of [actor, critic]) {
    initialiseDense(layers, parameters, random)
    const top = layers.at(-1)
    if (top === undefined) continue
    const end = top.weights + top.inputs * top.outputs
    for (let i = top.weights; i < end; i++) parameters[i] = (parameters[i] ?? 0) * last
  }
}
