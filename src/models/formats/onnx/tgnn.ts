/** The temporal graph network in standard operators; it follows tgnn/forward.ts line by line. */

import { frequencies, type TgnnPlan } from '../../tgnn/plan.ts'
import type { Graph } from './graph.ts'

const EPSILON = 1e-5
const DOUBLE = 11
const FLOAT = 1

interface Tokens {
  /** [rows * 2 * links, tokenWidth], zero where there is no link. */
  readonly values: string
  /** [rows * 2 * links, 1], boolean. */
  readonly isLink: string
}

/** Outputs `score` and `surprise` from the rows `features`. */
export function tgnnGraph(plan: TgnnPlan, graph: Graph): void {
  const { features, pairFeatures, width, timeDimensions } = plan.spec
  const tokens = linkTokens(plan, graph)
  const embeddings = maskedMean(plan, graph, encode(plan, graph, tokens), tokens, width)
  const fields = graph.columns(tokens.values, timeDimensions, plan.tokenWidth)
  const means = maskedMean(plan, graph, fields, tokens, plan.meanWidth)
  const heads = [
    { prefix: 'head.', layers: plan.head.layers, from: 0, output: 'score' },
    { prefix: 'link.', layers: plan.linkHead.layers, from: features, output: 'surprise' },
  ]
  for (const { prefix, layers, from, output } of heads) {
    const own = graph.columns('features', from, features + pairFeatures)
    const input = graph.op('Concat', [own, embeddings, means], [{ name: 'axis', int: 1 }])
    graph.dense(prefix, layers, input, output)
  }
}

function linkTokens(plan: TgnnPlan, graph: Graph): Tokens {
  const { linkFeatures } = plan.spec
  const links = graph.reshape(graph.columns('features', plan.linksFrom, plan.inputs), -1, linkFeatures)
  const age = graph.columns(links, 0, 1)
  const isLink = graph.op('GreaterOrEqual', [age, graph.float(0)])
  const rest = graph.columns(links, 1, linkFeatures)
  const both = graph.op('Concat', [timeEncoding(plan, graph, age), rest], [{ name: 'axis', int: 1 }])
  return { values: where(graph, isLink, both), isLink }
}

/** cos(age omega). Ages are days in seconds: in float32 their phase would be off by more than the cosine may be. */
function timeEncoding({ spec }: TgnnPlan, graph: Graph, age: string): string {
  const omega = graph.constant('omega', [1, spec.timeDimensions], () =>
    Float64Array.from(frequencies(spec.timeDimensions)),
  )
  const turn = graph.constant('turn', [], () => Float64Array.of(2 * Math.PI))
  const phase = graph.op('Mul', [graph.op('Cast', [age], [{ name: 'to', int: DOUBLE }]), omega])
  const turns = graph.op('Floor', [graph.op('Div', [phase, turn])])
  const within = graph.op('Sub', [phase, graph.op('Mul', [turns, turn])])
  return graph.op('Cos', [graph.op('Cast', [within], [{ name: 'to', int: FLOAT }])])
}

/** What there is of links; zero elsewhere. */
function where(graph: Graph, isLink: string, values: string): string {
  return graph.op('Where', [isLink, values, graph.float(0)])
}

function layerNorm(graph: Graph, value: string, name: 'norm0' | 'norm1'): string {
  const attributes = [
    { name: 'axis', int: -1 },
    { name: 'epsilon', float: EPSILON },
  ]
  return graph.op('LayerNormalization', [value, `encoder.${name}.gain`, `encoder.${name}.bias`], attributes)
}

const linear = (graph: Graph, value: string, name: string): string =>
  graph.op('Add', [graph.op('MatMul', [value, `encoder.${name}.weight`]), `encoder.${name}.bias`])

/** One MLP-Mixer block over the tokens of each end: [rows * 2 * links, width]. */
function encode({ spec: { links, width } }: TgnnPlan, graph: Graph, { values, isLink }: Tokens): string {
  const projected = where(graph, isLink, linear(graph, values, 'input'))
  const normal = where(graph, isLink, layerNorm(graph, projected, 'norm0'))
  const perm = [{ name: 'perm', ints: [0, 2, 1] }]
  const byColumn = graph.op('Transpose', [graph.reshape(normal, -1, links, width)], perm)
  const mixedByColumn = linear(graph, graph.op('Relu', [linear(graph, byColumn, 'token0')]), 'token1')
  const byToken = graph.reshape(graph.op('Transpose', [mixedByColumn], perm), -1, width)
  const mixed = graph.op('Add', [projected, byToken])
  const hidden = graph.op('Relu', [linear(graph, layerNorm(graph, mixed, 'norm1'), 'channel0')])
  return graph.op('Add', [mixed, linear(graph, hidden, 'channel1')])
}

/** Mean over the links that there are, of both ends side by side: [rows, 2 * columns]. */
function maskedMean(
  { spec: { links } }: TgnnPlan,
  graph: Graph,
  value: string,
  { isLink }: Tokens,
  columns: number,
): string {
  const keep = [{ name: 'keepdims', int: 0 }]
  const axis = graph.ints(1)
  const sum = graph.op('ReduceSum', [graph.reshape(where(graph, isLink, value), -1, links, columns), axis], keep)
  const present = graph.reshape(graph.op('Cast', [isLink], [{ name: 'to', int: FLOAT }]), -1, links, 1)
  const count = graph.op('Max', [graph.op('ReduceSum', [present, axis], keep), graph.float(1)])
  return graph.reshape(graph.op('Div', [sum, count]), -1, 2 * columns)
}
