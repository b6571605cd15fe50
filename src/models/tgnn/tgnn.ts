/** Temporal graph network: stateless, so that what it knows of hosts stays in the rows, and only weights are shared. */

import { fail } from '../../base/errors.ts'
import { prng } from '../../base/prng.ts'
import { initialiseDense, type Layer } from '../dense.ts'
import type { Kernels } from '../kernels/kernels.ts'
import type { Model, TgnnSpec } from '../model.ts'
import { type EncoderTensor, planTgnn, type TgnnPlan } from './plan.ts'
import { scoreTgnn } from './score.ts'
import { headOf, trainTgnn } from './train.ts'

export function createTgnn(spec: TgnnSpec, kernels: Kernels): Model {
  const plan = planTgnn(spec)
  return {
    spec,
    inputs: plan.inputs,
    layout: plan.layout,
    parameterCount: plan.parameterCount,
    initialise: (seed) => initialiseTgnn(plan, seed),
    train: (parameters, data, options, onEpoch) =>
      trainTgnn(plan, kernels, checked(plan, parameters), data, options, onEpoch),
    score: (parameters, features, rows, objective) =>
      scoreTgnn(plan, headOf(plan, objective), kernels, checked(plan, parameters), features, rows),
  }
}

/** He et al. 2015 for layers; gains are one. */
function initialiseTgnn(plan: TgnnPlan, seed: string): Float32Array {
  const parameters = new Float32Array(plan.parameterCount)
  const { width, links } = plan.spec
  const layer = (
    name: 'input' | 'channel0' | 'channel1' | 'token0' | 'token1',
    inputs: number,
    outputs: number,
  ): Layer => ({
    inputs,
    outputs,
    weights: plan.encoder[`${name}.weight`],
    bias: plan.encoder[`${name}.bias`],
  })
  const encoder = [
    layer('input', plan.tokenWidth, width),
    layer('token0', links, plan.tokenHidden),
    layer('token1', plan.tokenHidden, links),
    layer('channel0', width, plan.channelHidden),
    layer('channel1', plan.channelHidden, width),
  ]
  initialiseDense([...encoder, ...plan.head.layers, ...plan.linkHead.layers], parameters, prng(`tgnn/${seed}`))
  const gains: EncoderTensor[] = ['norm0.gain', 'norm1.gain']
  for (const gain of gains) parameters.fill(1, plan.encoder[gain], plan.encoder[gain] + width)
  return parameters
}

function checked(plan: TgnnPlan, parameters: Float32Array): Float32Array {
  if (parameters.length !== plan.parameterCount)
    fail('wrong-shape', `the model has ${plan.parameterCount} parameters, ${parameters.length} were given`)
  return parameters
}
