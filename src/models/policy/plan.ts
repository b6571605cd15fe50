/** Where each tensor of a policy lies in its flat parameters, and how they begin. */

import { prng } from '../../base/prng.ts'
import { type AlikePlan, initialiseAlike, planAlike } from './plan-alike.ts'
import { type ApartPlan, initialiseApart, planApart } from './plan-apart.ts'
import type { PolicySpec } from './spec.ts'

export interface PolicyPlan {
  readonly spec: PolicySpec
  /** Sorted by name. */
  readonly layout: readonly { readonly name: string; readonly shape: readonly number[] }[]
  readonly parameterCount: number
  readonly network: AlikePlan | ApartPlan
}

export function planPolicy(spec: PolicySpec): PolicyPlan {
  const network = spec.slots === 'alike' ? planAlike(spec) : planApart(spec)
  return { spec, layout: network.layout, parameterCount: network.parameterCount, network }
}

/** Last layers begin small: a policy that has seen nothing is nearly uniform, and values begin near 0. */
const LAST_LAYER_SCALE = 0.01

/** The same seed gives the same bits. */
export function initialisePolicy({ network, parameterCount }: PolicyPlan, seed: string): Float32Array {
  const parameters = new Float32Array(parameterCount)
  const random = prng(`policy/${seed}`)
  if (network.kind === 'alike') initialiseAlike(network, parameters, random, LAST_LAYER_SCALE)
  else initialiseApart(network, parameters, random, LAST_LAYER_SCALE)
  return parameters
}
