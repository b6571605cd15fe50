/** Forward and backward of actor and critic with slots alike; plan-alike.ts says what is computed. */

import type { Kernels } from '../kernels/kernels.ts'
import type { PolicyNetwork } from './network.ts'
import type { AlikePlan, Dense } from './plan-alike.ts'
import { KINDS } from './spec.ts'

/** `parameters` and `gradient` are offsets of the whole flat vectors. */
export function openAlike(
  plan: AlikePlan,
  kernels: Kernels,
  parameters: number,
  gradient: number,
  rowsMax: number,
): PolicyNetwork {
  const { raw, arena, scratch } = kernels
  const { slots, features, wide, head, actor, critic } = plan
  const actions = 1 + KINDS * slots
  const blocks: number[] = []
  const take = (columns: number): number => {
    const offset = arena.allocate(4 * columns * rowsMax)
    blocks.push(offset)
    return offset
  }
  const input = take(slots * features)
  const body = () => ({
    encoded: take(slots * wide),
    encodedGradient: take(slots * wide),
    pooled: take(wide),
    pooledGradient: take(wide),
    context: take(wide),
    contextGradient: take(wide),
  })
  const [acting, judging] = [body(), body()]
  const [around, aroundGradient] = [take(head), take(head)]
  const [hosts, hostsGradient] = [take(slots * head), take(slots * head)]
  const [acts, actsGradient] = [take(slots * KINDS), take(slots * KINDS)]
  const [sleep, sleepGradient] = [take(1), take(1)]
  const [logits, logitsGradient] = [take(actions), take(actions)]
  const [values, valuesGradient] = [take(1), take(1)]

  /** out = x W, plus the bias and cut off below 0 as asked. */
  function apply({ inputs, outputs, weights, bias }: Dense, x: number, out: number, rows: number, relu: number): void {
    raw.gemm(x, inputs, 1, parameters + 4 * weights, outputs, 1, out, rows, outputs, inputs, 0, scratch)
    if (bias >= 0) raw.biasRelu(out, parameters + 4 * bias, rows, outputs, relu)
  }

  /** Gradients by the layer's parameters; by its input too unless `below` is 0, added to it if `add`. */
  function back(layer: Dense, x: number, delta: number, rows: number, below: number, add = 0): void {
    const { inputs, outputs, weights, bias } = layer
    if (bias >= 0) raw.columnSums(delta, gradient + 4 * bias, rows, outputs)
    raw.gemm(x, 1, inputs, delta, outputs, 1, gradient + 4 * weights, inputs, outputs, rows, 0, scratch)
    if (below !== 0)
      raw.gemm(delta, outputs, 1, parameters + 4 * weights, 1, outputs, below, rows, inputs, outputs, add, scratch)
  }

  /** Sums `columns` numbers over the slots of each row. */
  function pool(from: number, to: number, rows: number, columns: number): void {
    for (let row = 0; row < rows; row++)
      raw.columnSums(from + 4 * row * slots * columns, to + 4 * row * columns, slots, columns)
  }

  /** Adds the numbers of each row to all its slots. */
  function spread(from: number, to: number, rows: number, columns: number, relu: number): void {
    for (let row = 0; row < rows; row++)
      raw.biasRelu(to + 4 * row * slots * columns, from + 4 * row * columns, slots, columns, relu)
  }

  function look(layers: { encode: Dense; context: Dense }, at: typeof acting, rows: number): void {
    apply(layers.encode, input, at.encoded, rows * slots, 1)
    pool(at.encoded, at.pooled, rows, wide)
    apply(layers.context, at.pooled, at.context, rows, 1)
  }

  /** With the gradient by the context, and by the encoded slots as far as `encodedGradient` holds it already. */
  function lookBack(layers: { encode: Dense; context: Dense }, at: typeof acting, rows: number): void {
    raw.reluBackward(at.contextGradient, at.context, rows * wide)
    back(layers.context, at.pooled, at.contextGradient, rows, at.pooledGradient)
    spread(at.pooledGradient, at.encodedGradient, rows, wide, 0)
    raw.reluBackward(at.encodedGradient, at.encoded, rows * slots * wide)
    back(layers.encode, input, at.encodedGradient, rows * slots, 0)
  }

  function forward(rows: number): void {
    look(actor, acting, rows)
    apply(actor.around, acting.context, around, rows, 0)
    apply(actor.host, acting.encoded, hosts, rows * slots, 0)
    spread(around, hosts, rows, head, 1)
    apply(actor.act, hosts, acts, rows * slots, 0)
    apply(actor.sleep, acting.context, sleep, rows, 0)
    const [to, from, alone] = [
      arena.float32(logits, rows * actions),
      arena.float32(acts, rows * slots * KINDS),
      arena.float32(sleep, rows),
    ]
    for (let row = 0; row < rows; row++) {
      const at = row * actions
      to[at] = alone[row] ?? 0
      for (let slot = 0; slot < slots; slot++)
        for (let kind = 0; kind < KINDS; kind++)
          to[at + 1 + kind * slots + slot] = from[(row * slots + slot) * KINDS + kind] ?? 0
    }
    look(critic, judging, rows)
    apply(critic.value, judging.context, values, rows, 0)
  }

  function backward(rows: number): void {
    const from = arena.float32(logitsGradient, rows * actions)
    const [to, alone] = [arena.float32(actsGradient, rows * slots * KINDS), arena.float32(sleepGradient, rows)]
    for (let row = 0; row < rows; row++) {
      const at = row * actions
      alone[row] = from[at] ?? 0
      for (let slot = 0; slot < slots; slot++)
        for (let kind = 0; kind < KINDS; kind++)
          to[(row * slots + slot) * KINDS + kind] = from[at + 1 + kind * slots + slot] ?? 0
    }
    back(actor.act, hosts, actsGradient, rows * slots, hostsGradient)
    raw.reluBackward(hostsGradient, hosts, rows * slots * head)
    pool(hostsGradient, aroundGradient, rows, head)
    back(actor.host, acting.encoded, hostsGradient, rows * slots, acting.encodedGradient)
    back(actor.around, acting.context, aroundGradient, rows, acting.contextGradient)
    back(actor.sleep, acting.context, sleepGradient, rows, acting.contextGradient, 1)
    lookBack(actor, acting, rows)
    back(critic.value, judging.context, valuesGradient, rows, judging.contextGradient)
    arena.float32(judging.encodedGradient, rows * slots * wide).fill(0)
    lookBack(critic, judging, rows)
  }

  const release = (): void => blocks.forEach((block) => arena.release(block))
  return { input, logits, logitsGradient, values, valuesGradient, forward, backward, release }
}
