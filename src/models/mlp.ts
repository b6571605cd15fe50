/** Multi-layer perceptron with ReLU layers and one logit, trained on the weighted logistic loss. */

import { fail } from '../base/errors.ts'
import { prng } from '../base/prng.ts'
import type { Kernels } from './kernels/kernels.ts'
import type { MlpSpec, Model, TensorShape } from './model.ts'
import { forwardBatches } from './mlp-score.ts'
import { trainMlp } from './mlp-train.ts'

/** One dense layer; offsets count elements of the flat parameters. */
export interface Layer {
  readonly inputs: number
  readonly outputs: number
  /** inputs * outputs, row-major. */
  readonly weights: number
  readonly bias: number
}

export interface MlpPlan {
  readonly spec: MlpSpec
  readonly layout: readonly TensorShape[]
  readonly layers: readonly Layer[]
  readonly parameterCount: number
}

/** Names sort as layers do: two digits are enough for the 33 layers that a specification may have. */
export function planMlp(spec: MlpSpec): MlpPlan {
  const widths = [spec.inputs, ...spec.hidden, 1]
  const layout: TensorShape[] = []
  const layers: Layer[] = []
  let at = 0
  for (let i = 0; i + 1 < widths.length; i++) {
    const inputs = widths[i] ?? 0
    const outputs = widths[i + 1] ?? 0
    const name = `layer${String(i).padStart(2, '0')}`
    layout.push({ name: `${name}.bias`, shape: [outputs] }, { name: `${name}.weight`, shape: [inputs, outputs] })
    layers.push({ inputs, outputs, bias: at, weights: at + outputs })
    at += outputs + inputs * outputs
  }
  return { spec, layout, layers, parameterCount: at }
}

export function createMlp(spec: MlpSpec, kernels: Kernels): Model {
  const plan = planMlp(spec)
  return {
    spec,
    layout: plan.layout,
    parameterCount: plan.parameterCount,
    initialise: (seed) => initialiseMlp(plan, seed),
    train: (parameters, data, options, onEpoch) =>
      trainMlp(plan, kernels, checked(plan, parameters), data, options, onEpoch),
    score: (parameters, features, rows) => forwardBatches(plan, kernels, checked(plan, parameters), features, rows),
  }
}

/** He et al. 2015, uniform: bound sqrt(6 / inputs); biases zero. Uniform, since a normal needs the engine's logarithm. */
function initialiseMlp(plan: MlpPlan, seed: string): Float32Array {
  const parameters = new Float32Array(plan.parameterCount)
  const random = prng(`mlp/${seed}`)
  for (const { inputs, outputs, weights } of plan.layers) {
    const bound = Math.sqrt(6 / inputs)
    for (let i = 0; i < inputs * outputs; i++) parameters[weights + i] = (2 * random.uniform() - 1) * bound
  }
  return parameters
}

function checked(plan: MlpPlan, parameters: Float32Array): Float32Array {
  if (parameters.length !== plan.parameterCount)
    fail('wrong-shape', `the model has ${plan.parameterCount} parameters, ${parameters.length} were given`)
  return parameters
}
