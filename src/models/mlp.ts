/** Multi-layer perceptron with ReLU layers and one logit, trained on the weighted logistic loss. */

import { fail } from '../base/errors.ts'
import { prng } from '../base/prng.ts'
import { initialiseDense, type Layer, planDense } from './dense.ts'
import type { Kernels } from './kernels/kernels.ts'
import type { MlpSpec, Model, TensorShape } from './model.ts'
import { forwardBatches } from './mlp-score.ts'
import { trainMlp } from './mlp-train.ts'

export interface MlpPlan {
  readonly spec: MlpSpec
  readonly layout: readonly TensorShape[]
  readonly layers: readonly Layer[]
  readonly parameterCount: number
}

export function planMlp(spec: MlpSpec): MlpPlan {
  const { layout, layers, end } = planDense('', [spec.inputs, ...spec.hidden, 1], 0)
  return { spec, layout, layers, parameterCount: end }
}

export function createMlp(spec: MlpSpec, kernels: Kernels): Model {
  const plan = planMlp(spec)
  return {
    spec,
    inputs: spec.inputs,
    layout: plan.layout,
    parameterCount: plan.parameterCount,
    initialise: (seed) => initialiseMlp(plan, seed),
    train: (parameters, data, options, onEpoch) =>
      trainMlp(plan, kernels, checked(plan, parameters), data, options, onEpoch),
    score: (parameters, features, rows) => forwardBatches(plan, kernels, checked(plan, parameters), features, rows),
  }
}

function initialiseMlp(plan: MlpPlan, seed: string): Float32Array {
  const parameters = new Float32Array(plan.parameterCount)
  initialiseDense(plan.layers, parameters, prng(`mlp/${seed}`))
  return parameters
}

function checked(plan: MlpPlan, parameters: Float32Array): Float32Array {
  if (parameters.length !== plan.parameterCount)
    fail('wrong-shape', `the model has ${plan.parameterCount} parameters, ${parameters.length} were given`)
  return parameters
}
