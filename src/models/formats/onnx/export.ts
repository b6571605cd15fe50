/**
 * Models as ONNX graphs, for programs that score and do not train. Input `features`: rows as this program makes them, the
 * columns named in the metadata. Output `score`: the logit of each row; of a graph network also `surprise`, the link head. A
 * response policy takes `observations` and `mask` (1 = legal), and gives `probabilities` of the actions and `value`.
 */

import { planMlp } from '../../mlp.ts'
import type { MlpSpec, ModelSpec, TgnnSpec } from '../../model.ts'
import { planPolicy } from '../../policy/plan.ts'
import type { PolicySpec } from '../../policy/spec.ts'
import { planTgnn } from '../../tgnn/plan.ts'
import { encodeOnnx, type OnnxModel } from './encode.ts'
import { Graph } from './graph.ts'
import { policyGraph } from './policy.ts'
import { tgnnGraph } from './tgnn.ts'

export interface OnnxExport {
  readonly spec: ModelSpec
  /** Flat, in layout order. */
  readonly parameters: Float32Array
  readonly producerVersion: string
  readonly metadata: Readonly<Record<string, string>>
}

/** @throws wrong-shape; invalid-request beyond 2 GiB */
export function exportOnnx({ spec, parameters, ...about }: OnnxExport): Uint8Array {
  return encodeOnnx({ ...bodyOf(spec, parameters), ...about })
}

function bodyOf(spec: ModelSpec, parameters: Float32Array): Body {
  if (spec.kind === 'policy') return policy(spec, parameters)
  return spec.kind === 'mlp' ? mlp(spec, parameters) : tgnn(spec, parameters)
}

type Body = Omit<OnnxModel, 'producerVersion' | 'metadata'>

function mlp(spec: MlpSpec, parameters: Float32Array): Body {
  const plan = planMlp(spec)
  const graph = new Graph(plan.layout, parameters)
  graph.dense('', plan.layers, 'features', 'score')
  return body('entente-mlp', graph, spec.inputs, ['score'])
}

function tgnn(spec: TgnnSpec, parameters: Float32Array): Body {
  const plan = planTgnn(spec)
  const graph = new Graph(plan.layout, parameters)
  tgnnGraph(plan, graph)
  return body('entente-tgnn', graph, plan.inputs, ['score', 'surprise'])
}

function policy(spec: PolicySpec, parameters: Float32Array): Body {
  const { layout, network } = planPolicy(spec)
  const graph = new Graph(layout, parameters)
  policyGraph(network, graph)
  const { nodes, tensors } = graph
  return {
    name: 'entente-policy',
    nodes,
    tensors,
    inputs: [
      { name: 'observations', shape: [spec.observations] },
      { name: 'mask', shape: [spec.actions] },
    ],
    outputs: [
      { name: 'probabilities', shape: [spec.actions] },
      { name: 'value', shape: [] },
    ],
  }
}

function body(name: string, { nodes, tensors }: Graph, inputs: number, outputs: readonly string[]): Body {
  return {
    name,
    nodes,
    tensors,
    inputs: [{ name: 'features', shape: [inputs] }],
    outputs: outputs.map((output) => ({ name: output, shape: [] })),
  }
}
