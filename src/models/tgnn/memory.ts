/** Where the network's activations live in the memory of the kernels, for batches of a bounded size. */

import { allocateDense, type Activations, type DensePlan } from '../dense.ts'
import type { Kernels } from '../kernels/kernels.ts'
import { frequencies, type TgnnPlan } from './plan.ts'

/** Offsets in bytes. A token is one link of one end of one row; `links` of them are an item. */
export interface EncoderMemory {
  /** Rows as they are given. */
  readonly input: number
  readonly omega: number
  /** Tokens by {@link TgnnPlan.tokenWidth}; masks are 1 where there is a link. */
  readonly tokens: number
  readonly mask: number
  /** Tokens by width: after the input layer, normalised, after token mixing, normalised, after channel mixing. */
  readonly projected: number
  readonly normal0: number
  readonly mixed: number
  readonly normal1: number
  readonly encoded: number
  readonly stats0: number
  readonly stats1: number
  readonly tokenHidden: number
  readonly channelHidden: number
  /** Ends, two a row: not 0 where there is a link; means over their tokens of the hidden layer, and encoded. */
  readonly endMask: number
  readonly endHidden: number
  readonly endEncoded: number
  release(): void
}

export function allocateEncoder(plan: TgnnPlan, kernels: Kernels, rows: number): EncoderMemory {
  const { arena } = kernels
  const { spec } = plan
  const tokens = rows * 2 * spec.links
  const blocks: number[] = []
  const take = (elements: number): number => {
    const offset = arena.allocate(4 * elements)
    blocks.push(offset)
    return offset
  }
  const byWidth = (): number => take(tokens * spec.width)
  const omega = take(spec.timeDimensions)
  arena.float32(omega, spec.timeDimensions).set(frequencies(spec.timeDimensions))
  return {
    input: take(rows * plan.inputs),
    omega,
    tokens: take(tokens * plan.tokenWidth),
    mask: take(tokens),
    projected: byWidth(),
    normal0: byWidth(),
    mixed: byWidth(),
    normal1: byWidth(),
    encoded: byWidth(),
    stats0: take(2 * tokens),
    stats1: take(2 * tokens),
    tokenHidden: take(rows * 2 * plan.tokenHidden * spec.width),
    channelHidden: take(tokens * plan.channelHidden),
    endMask: take(2 * rows),
    endHidden: take(2 * rows * plan.channelHidden),
    endEncoded: take(2 * rows * spec.width),
    release: () => blocks.forEach((block) => arena.release(block)),
  }
}

export interface NetworkMemory {
  readonly encoder: EncoderMemory
  /** Of the head in use, see {@link headOf}; its first activation is what it reads. */
  readonly head: Activations
  release(): void
}

export function allocateNetwork(plan: TgnnPlan, head: DensePlan, kernels: Kernels, rows: number): NetworkMemory {
  const encoder = allocateEncoder(plan, kernels, rows)
  const activations = allocateDense(head.layers, kernels, rows)
  return {
    encoder,
    head: activations,
    release: () => {
      encoder.release()
      activations.release()
    },
  }
}
