/** What a response policy is made of, as training configurations and model files name it. */

import { fail } from '../../base/errors.ts'

/**
 * Actor and critic over the slots of a network, bodies apart. With slots `alike` they share one encoder and one head, so
 * that what was learned of one host serves for every host of every network; `hidden` is then the width of encoder and
 * context, and that of the head. With slots `apart` actor and critic are perceptrons over the whole observation with the
 * ReLU widths `hidden`: they fit one network better and carry over worse (docs/decisions/0012-response-policy.md).
 * `observations` is slots times features (observer.ts), `actions` is 1 + 4 x slots.
 */
export interface PolicySpec {
  readonly kind: 'policy'
  readonly observations: number
  readonly actions: number
  readonly hidden: readonly number[]
  readonly slots: 'alike' | 'apart'
}

const WIDTH_MAX = 65_536
const LAYERS_MAX = 16
/** Analyse, decoy, remove, restore. */
export const KINDS = 4

/** @throws model-invalid unless the value is a policy that this version can build */
export function parsePolicySpec(value: unknown): PolicySpec {
  const {
    kind,
    observations,
    actions,
    hidden,
    slots: told = 'alike',
  } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>
  if (kind !== 'policy') fail('model-invalid', `${JSON.stringify(kind)} is not the kind of a policy`)
  if (!isWidth(observations) || !isWidth(actions))
    fail('model-invalid', `observations and actions must be integers from 1 to ${WIDTH_MAX}`)
  const slots = (actions - 1) / KINDS
  if (!(slots >= 1) || !Number.isInteger(slots) || observations % slots !== 0)
    fail(
      'model-invalid',
      `${actions} actions are not 1 and ${KINDS} of each slot that ${observations} numbers describe`,
    )
  if (told !== 'alike' && told !== 'apart') fail('model-invalid', 'slots must be alike or apart')
  if (!Array.isArray(hidden) || hidden.length > LAYERS_MAX || !hidden.every(isWidth))
    fail('model-invalid', `hidden must list at most ${LAYERS_MAX} widths from 1 to ${WIDTH_MAX}`)
  if (told === 'alike' && hidden.length !== 2)
    fail('model-invalid', 'with slots alike, hidden is two widths: of encoder and context, and of the head')
  return { kind, observations, actions, hidden: [...hidden], slots: told }
}

function isWidth(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= WIDTH_MAX
}
