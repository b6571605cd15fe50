/** A response policy to the rest of the program: flat parameters with a layout, training, and judging what it is shown. */

import { fail } from '../../base/errors.ts'
import type { Kernels } from '../kernels/kernels.ts'
import type { Environment } from '../response/environment.ts'
import { initialisePolicy, type PolicyPlan, planPolicy } from './plan.ts'
import { openSession } from './session.ts'
import { parsePolicySpec, type PolicySpec } from './spec.ts'
import { type PolicyIteration, type PolicyTrainOptions, type PolicyTrainResult, trainPolicy } from './train.ts'

export interface Judgement {
  /** rows x actions: 0 for what is masked, else the probability that the policy takes it. */
  readonly probabilities: Float32Array
  /** Of each row: the discounted reward that it expects from there on, in units of the reward. */
  readonly values: Float32Array
}

/** The part that needs no kernels: what hub, rounds and ledger know of a policy. */
export interface PolicyOutline {
  readonly spec: PolicySpec
  /** Sorted by name: the order of the flat parameters and of the file. */
  readonly layout: PolicyPlan['layout']
  readonly parameterCount: number
  /** Flat parameters in layout order; the same seed gives the same bits. */
  initialise(seed: string): Float32Array
}

export interface Policy extends PolicyOutline {
  /** @throws wrong-shape, no-data, invalid-request; not-finite when training diverged */
  train(
    parameters: Float32Array,
    environments: readonly Environment[],
    options: PolicyTrainOptions,
    onIteration?: (iteration: PolicyIteration) => void,
  ): PolicyTrainResult
  /** `observations` are those of observer.ts, `masks` 1 for each legal action; at least one a row. @throws wrong-shape */
  judge(parameters: Float32Array, observations: Float32Array, masks: Uint8Array): Judgement
}

/** @throws model-invalid */
export function outlineOfPolicy(spec: PolicySpec): PolicyOutline {
  return outline(planPolicy(parsePolicySpec(spec)))
}

function outline(plan: PolicyPlan): PolicyOutline {
  const { spec, layout, parameterCount } = plan
  return { spec, layout, parameterCount, initialise: (seed) => initialisePolicy(plan, seed) }
}

/** @throws model-invalid */
export function createPolicy(spec: PolicySpec, kernels: Kernels): Policy {
  const plan = planPolicy(parsePolicySpec(spec))
  return {
    ...outline(plan),
    train: (parameters, environments, options, onIteration) =>
      trainPolicy(plan, kernels, parameters, environments, options, onIteration),
    judge: (parameters, observations, masks) => judge(plan, kernels, parameters, observations, masks),
  }
}

const BLOCK_ROWS = 1024

function judge(
  plan: PolicyPlan,
  kernels: Kernels,
  parameters: Float32Array,
  observations: Float32Array,
  masks: Uint8Array,
): Judgement {
  const { observations: width, actions } = plan.spec
  const rows = masks.length / actions
  if (parameters.length !== plan.parameterCount)
    fail('wrong-shape', `the policy has ${plan.parameterCount} parameters, ${parameters.length} were given`)
  if (!Number.isInteger(rows) || observations.length !== rows * width)
    fail('wrong-shape', `a policy of ${width} observations and ${actions} actions was shown other sizes`)
  const out: Judgement = { probabilities: new Float32Array(rows * actions), values: new Float32Array(rows) }
  const session = openSession(plan, kernels, parameters, Math.max(1, Math.min(rows, BLOCK_ROWS)))
  try {
    for (let from = 0; from < rows; from += BLOCK_ROWS) {
      const to = Math.min(rows, from + BLOCK_ROWS)
      const shown = observations.subarray(from * width, to * width)
      const part = session.judge(shown, masks.subarray(from * actions, to * actions), to - from)
      out.probabilities.set(part.probabilities, from * actions)
      out.values.set(part.values, from)
    }
    return out
  } finally {
    session.release()
  }
}
