/** The response policy that a training starts from without a specification; docs/decisions/0012-response-policy.md. */

import { policyObservations } from '../../models/policy/observer.ts'
import type { PolicySpec } from '../../models/policy/spec.ts'
import { actionCount } from '../../models/response/blue.ts'

/** As many as the challenge has hosts, and the default of `response.slots`. */
const SLOTS = 13

/** Alike: of encoder and context, and of the head. Apart: of the layers of both perceptrons. */
const HIDDEN = { alike: [32, 32], apart: [64, 64] }

export const defaultPolicy = (slots = SLOTS, told: PolicySpec['slots'] = 'alike'): PolicySpec => ({
  kind: 'policy',
  observations: policyObservations(slots),
  actions: actionCount(slots),
  hidden: HIDDEN[told],
  slots: told,
})

/**
 * Many short rounds, one iteration of PPO in each: policies that were averaged after four iterations had grown apart, and
 * earned less than each alone.
 */
export const policyTrainingDefaults = (strategy = 'fedavg') => ({
  model: defaultPolicy(),
  strategy: { name: strategy },
  local: { epochs: 4, batchSize: 800, learningRate: 1e-3, rowsMax: 3200 },
  rounds: 80,
})
