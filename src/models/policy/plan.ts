/** Where each tensor of a policy lies in its flat parameters, and how they begin. */

import { prng } from '../../base/prng.ts'
import { KINDS, type PolicySpec } from './spec.ts'

/** A matrix, row-major, with or without a bias before it; offsets count elements of the flat parameters. */
export interface Dense {
  readonly inputs: number
  readonly outputs: number
  readonly weights: number
  /** positions * outputs; negative where there is none. */
  readonly bias: number
  /** Rows that a bias has: 1, or one per slot, which is how a policy tells slots apart. */
  readonly positions: number
}

/**
 * Of each body: `encode` every slot, sum over the slots, `context`. The actor's head sees the slot (`host`) beside the
 * context (`around`) and gives each slot its four logits (`act`); `direct` adds the
 * context's own logits of all actions, doing nothing among them.
 */
export interface Actor {
  readonly encode: Dense
  readonly context: Dense
  readonly around: Dense
  readonly host: Dense
  readonly act: Dense
  readonly direct: Dense
}

export interface Critic {
  readonly encode: Dense
  readonly context: Dense
  readonly value: Dense
}

export interface PolicyPlan {
  readonly spec: PolicySpec
  readonly slots: number
  /** Numbers that describe a slot. */
  readonly features: number
  /** Widths of encoder and context, and of the head. */
  readonly wide: number
  readonly head: number
  /** Sorted by name. */
  readonly layout: readonly { readonly name: string; readonly shape: readonly number[] }[]
  readonly actor: Actor
  readonly critic: Critic
  readonly parameterCount: number
}

export function planPolicy(spec: PolicySpec): PolicyPlan {
  const slots = (spec.actions - 1) / KINDS
  const features = spec.observations / slots
  const [wide = 1, head = 1] = spec.hidden
  const layout: { name: string; shape: readonly number[] }[] = []
  let end = 0
  const tensor = (name: string, shape: readonly number[]): number => {
    layout.push({ name, shape })
    const at = end
    end += shape.reduce((product, size) => product * size, 1)
    return at
  }
  const dense = (name: string, inputs: number, outputs: number, positions = 1): Dense => {
    const bias = tensor(`${name}.bias`, positions === 1 ? [outputs] : [positions, outputs])
    return { inputs, outputs, bias, positions, weights: tensor(`${name}.weight`, [inputs, outputs]) }
  }
  // In the order of their names; the head has one bias, that of its part for the context.
  const act = dense('actor.act', head, KINDS, slots)
  const around = dense('actor.around', wide, head)
  const context = dense('actor.context', slots * wide, wide)
  const direct = dense('actor.direct', wide, spec.actions)
  const encode = dense('actor.encode', features, wide, slots)
  const host = {
    inputs: wide,
    outputs: head,
    bias: -1,
    positions: 1,
    weights: tensor('actor.host.weight', [wide, head]),
  }
  const actor = { act, around, context, direct, encode, host }
  const critic = {
    context: dense('critic.context', slots * wide, wide),
    encode: dense('critic.encode', features, wide, slots),
    value: dense('critic.value', wide, 1),
  }
  return { spec, slots, features, wide, head, layout, actor, critic, parameterCount: end }
}

/** Last layers begin small: a policy that has seen nothing is nearly uniform, and values begin near 0. */
const LAST_LAYER_SCALE = 0.01

/** He et al. 2015, uniform (a sum over slots counts as so many inputs); the same seed gives the same bits. */
export function initialisePolicy({ actor, critic, slots, parameterCount }: PolicyPlan, seed: string): Float32Array {
  const parameters = new Float32Array(parameterCount)
  const random = prng(`policy/${seed}`)
  const fill = ({ inputs, outputs, weights }: Dense, fanIn: number, scale = 1): void => {
    const bound = Math.sqrt(6 / fanIn) * scale
    for (let i = 0; i < inputs * outputs; i++) parameters[weights + i] = (2 * random.uniform() - 1) * bound
  }
  for (const { encode, context } of [actor, critic]) {
    fill(encode, encode.inputs)
    fill(context, context.inputs)
  }
  fill(actor.around, 2 * actor.around.inputs)
  fill(actor.host, 2 * actor.host.inputs)
  for (const last of [actor.act, actor.direct, critic.value]) fill(last, last.inputs, LAST_LAYER_SCALE)
  return parameters
}
