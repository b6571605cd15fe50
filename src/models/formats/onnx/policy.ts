/** A response policy in standard operators; it follows policy/network-alike.ts and network-apart.ts. */

import type { AlikePlan } from '../../policy/plan-alike.ts'
import type { ApartPlan } from '../../policy/plan-apart.ts'
import { KINDS } from '../../policy/spec.ts'
import type { Graph } from './graph.ts'

/** Far below every logit: its share of a softmax is exactly 0. */
const FORBIDDEN = -1e30

/**
 * Outputs `probabilities` of the actions, 0 where `mask` is not positive, and `value`, from `observations`. A row without a
 * legal action gives zeroes.
 */
export function policyGraph(plan: AlikePlan | ApartPlan, graph: Graph): void {
  const logits = plan.kind === 'alike' ? alikeLogits(plan, graph) : graph.layers('actor.', plan.actor, 'observations')
  const legal = graph.op('Greater', ['mask', graph.float(0)])
  const masked = graph.op('Where', [legal, logits, graph.float(FORBIDDEN)])
  const shares = graph.op('Softmax', [masked], [{ name: 'axis', int: 1 }])
  graph.op('Where', [legal, shares, graph.float(0)], [], 'probabilities')
  if (plan.kind === 'apart') graph.dense('critic.', plan.critic, 'observations', 'value')
  else
    graph.op(
      'Reshape',
      [linear(graph, look(plan, graph, 'critic').context, 'critic.value'), graph.ints(-1)],
      [],
      'value',
    )
}

const linear = (graph: Graph, value: string, name: string): string =>
  graph.op('Gemm', [value, `${name}.weight`, `${name}.bias`])

/** `encoded`: [rows * slots, wide]; `context`: [rows, wide]. */
function look({ slots, features, wide }: AlikePlan, graph: Graph, body: string): { encoded: string; context: string } {
  const bySlot = graph.reshape('observations', -1, features)
  const encoded = graph.op('Relu', [linear(graph, bySlot, `${body}.encode`)])
  const keep = [{ name: 'keepdims', int: 0 }]
  const pooled = graph.op('ReduceSum', [graph.reshape(encoded, -1, slots, wide), graph.ints(1)], keep)
  return { encoded, context: graph.op('Relu', [linear(graph, pooled, `${body}.context`)]) }
}

/** Sleep, then kind by kind the slots. */
function alikeLogits(plan: AlikePlan, graph: Graph): string {
  const { slots, head } = plan
  const { encoded, context } = look(plan, graph, 'actor')
  const around = graph.reshape(linear(graph, context, 'actor.around'), -1, 1, head)
  const own = graph.reshape(graph.op('MatMul', [encoded, 'actor.host.weight']), -1, slots, head)
  const hosts = graph.reshape(graph.op('Relu', [graph.op('Add', [own, around])]), -1, head)
  const acts = graph.reshape(linear(graph, hosts, 'actor.act'), -1, slots, KINDS)
  const byKind = graph.op('Transpose', [acts], [{ name: 'perm', ints: [0, 2, 1] }])
  const sleep = linear(graph, context, 'actor.sleep')
  return graph.op('Concat', [sleep, graph.reshape(byKind, -1, KINDS * slots)], [{ name: 'axis', int: 1 }])
}
