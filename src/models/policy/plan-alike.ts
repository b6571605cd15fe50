/** Slots alike: one encoder and one head for all of them. Where its tensors lie, and how they begin. */

import type { Prng } from '../../base/prng.ts'
import { KINDS, type PolicySpec } from './spec.ts'

/** A matrix, row-major, with or without a bias before it; offsets count elements of the flat parameters. */
export interface Dense {
  readonly inputs: number
  readonly outputs: number
  readonly weights: number
  readonly bias: number
}

/**
 * Of each body: `encode` every slot, sum over the slots, `context`. The actor's head sees the slot (`host`) beside the
 * context (`around`) and gives each slot its four logits (`act`); `sleep` is the logit of doing nothing.
 */
export interface Actor {
  readonly encode: Dense
  readonly context: Dense
  readonly around: Dense
  readonly host: Dense
  readonly act: Dense
  readonly sleep: Dense
}

export interface Critic {
  readonly encode: Dense
  readonly context: Dense
  readonly value: Dense
}

export interface AlikePlan {
  readonly kind: 'alike'
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

export function planAlike(spec: PolicySpec): AlikePlan {
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
  const dense = (name: string, inputs: number, outputs: number): Dense => {
    const bias = tensor(`${name}.bias`, [outputs])
    return { inputs, outputs, bias, weights: tensor(`${name}.weight`, [inputs, outputs]) }
  }
  // In the order of their names; the head has one bias, that of its part for the context.
  const act = dense('actor.act', head, KINDS)
  const around = dense('actor.around', wide, head)
  const context = dense('actor.context', wide, wide)
  const encode = dense('actor.encode', features, wide)
  const host = { inputs: wide, outputs: head, bias: -1, weights: tensor('actor.host.weight', [wide, head]) }
  const sleep = dense('actor.sleep', wide, 1)
  const actor = { act, around, context, encode, host, sleep }
  const critic = {
    context: dense('critic.context', wide, wide),
    encode: dense('critic.encode', features, wide),
    value: dense('critic.value', wide, 1),
  }
  return { kind: 'alike', slots, features, wide, head, layout, actor, critic, parameterCount: end }
}

/** He et al. 2015, uniform; a sum over slots counts as so many inputs. Last layers are scaled down by `last`. */
export function initialiseAlike(plan: AlikePlan, parameters: Float32Array, random: Prng, last: number): void {
  const { actor, critic, slots } = plan
  const fill = ({ inputs, outputs, weights }: Dense, fanIn: number, scale = 1): void => {
    const bound = Math.sqrt(6 / fanIn) * scale
    for (let i = 0; i < inputs * outputs; i++) parameters[weights + i] = (2 * random.uniform() - 1) * bound
  }
  for (const { encode, context } of [actor, critic]) {
    fill(encode, encode.inputs)
    fill(context, context.inputs * slots)
  }
  fill(actor.around, 2 * actor.around.inputs)
  fill(actor.host, 2 * actor.host.inputs)
  for (const layer of [actor.act, actor.sleep, critic.value]) fill(layer, layer.inputs, last)
}
