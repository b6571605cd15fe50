/** What a response policy is made of, as training configurations and model files name it. */

import { fail } from '../../base/errors.ts'

/**
 * Actor and critic over one observation: two perceptrons of the ReLU widths `hidden`, bodies apart, with `actions` logits
 * and one value. Organisations that train together agree on both sizes (see observer.ts for what fills them).
 */
export interface PolicySpec {
  readonly kind: 'policy'
  readonly observations: number
  readonly actions: number
  readonly hidden: readonly number[]
}

const WIDTH_MAX = 65_536
const LAYERS_MAX = 16

/** @throws model-invalid unless the value is a policy that this version can build */
export function parsePolicySpec(value: unknown): PolicySpec {
  const { kind, observations, actions, hidden } = (typeof value === 'object' && value !== null ? value : {}) as Record<
    string,
    unknown
  >
  if (kind !== 'policy') fail('model-invalid', `${JSON.stringify(kind)} is not the kind of a policy`)
  if (!isWidth(observations) || !isWidth(actions))
    fail('model-invalid', `observations and actions must be integers from 1 to ${WIDTH_MAX}`)
  if (!Array.isArray(hidden) || hidden.length > LAYERS_MAX || !hidden.every(isWidth))
    fail('model-invalid', `hidden must list at most ${LAYERS_MAX} widths from 1 to ${WIDTH_MAX}`)
  return { kind, observations, actions, hidden: [...hidden] }
}

function isWidth(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= WIDTH_MAX
}
