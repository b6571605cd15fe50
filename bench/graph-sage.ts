/**
 * A training step of GraphSAGE with two layers and the mean aggregator (Hamilton et al. 2017, algorithm 1), on the whole of
 * a random graph: forward, backward, Adam. H = relu(X S + mean(X) N + b), twice, and a linear head of two classes.
 */

import { prng, type Prng } from '../src/base/prng.ts'
import type { Kernels } from '../src/models/kernels/kernels.ts'
import { crossEntropy, randomFloats, type TrainingStep, trained } from './kernels-training.ts'

export interface GraphSize {
  readonly nodes: number
  readonly edges: number
  readonly width: number
}

export const GRAPH: GraphSize = { nodes: 10_000, edges: 100_000, width: 64 }

/** Neighbours of each node in compressed rows, the same transposed, and 1 / neighbours: offsets in the memory. */
interface Neighbours {
  readonly pointers: number
  readonly indices: number
  readonly transposedPointers: number
  readonly transposedIndices: number
  readonly weights: number
}

/** Random edges, in the order of their destination. */
export function randomGraph(
  { nodes, edges }: GraphSize,
  random: Prng,
): { pointers: Uint32Array; indices: Uint32Array } {
  const ends = Array.from({ length: edges }, () => [random.below(nodes), random.below(nodes)] as const)
  ends.sort(([a], [b]) => a - b)
  const pointers = new Uint32Array(nodes + 1)
  for (const [to] of ends) pointers[to + 1] = (pointers[to + 1] ?? 0) + 1
  for (let i = 0; i < nodes; i++) pointers[i + 1] = (pointers[i + 1] ?? 0) + (pointers[i] ?? 0)
  return { pointers, indices: Uint32Array.from(ends, ([, from]) => from) }
}

function placeGraph(
  { raw, arena }: Kernels,
  { nodes, edges }: GraphSize,
  graph: ReturnType<typeof randomGraph>,
): Neighbours {
  const place = (values: Uint32Array): number => {
    const offset = arena.allocate(values.byteLength)
    arena.bytes(offset, values.byteLength).set(new Uint8Array(values.buffer))
    return offset
  }
  const [pointers, indices] = [place(graph.pointers), place(graph.indices)]
  const transposedPointers = arena.allocate(4 * (nodes + 1))
  const transposedIndices = arena.allocate(4 * edges)
  const weights = arena.allocate(4 * nodes)
  raw.transposeCsr(pointers, indices, nodes, transposedPointers, transposedIndices, nodes)
  raw.inverseCounts(pointers, weights, nodes)
  return { pointers, indices, transposedPointers, transposedIndices, weights }
}

/** Offsets of one layer: its input, the mean of neighbours, its output; weights S, N, bias b; and their gradients. */
interface Layer {
  readonly input: number
  readonly mean: number
  readonly output: number
  readonly weights: readonly [number, number, number]
  readonly gradients: readonly [number, number, number]
}

export function createGraphSage(kernels: Kernels, size: GraphSize, seed: string): TrainingStep {
  const { raw, arena, scratch } = kernels
  const { nodes, width } = size
  const random = prng(`bench/graph-sage/${seed}`)
  const graph = placeGraph(kernels, size, randomGraph(size, random))
  const square = [width, width] as const
  const shapes = [square, square, [1, width], square, square, [1, width], [width, 2], [1, 2]] as const
  const { tensors, gradients, adam } = trained(kernels, shapes, random)
  const matrix = (columns = width): number => arena.allocate(4 * nodes * columns)
  const three = (of: readonly number[], from: number): [number, number, number] => [
    of[from] ?? 0,
    of[from + 1] ?? 0,
    of[from + 2] ?? 0,
  ]
  const layer = (input: number, from: number): Layer => ({
    input,
    mean: matrix(),
    output: matrix(),
    weights: three(tensors, from),
    gradients: three(gradients, from),
  })
  const first = layer(randomFloats(kernels, nodes * width, random), 0)
  const second = layer(first.output, 3)
  const [head = 0, headBias = 0] = tensors.slice(6)
  const [gHead = 0, gHeadBias = 0] = gradients.slice(6)
  const labels = Uint8Array.from({ length: nodes }, () => (random.uniform() < 0.1 ? 1 : 0))
  const [logits, gLogits] = [matrix(2), matrix(2)]
  const gMean = matrix()
  let [delta, spread] = [matrix(), matrix()]

  function forward({ input, mean, output, weights: [self, neighbour, bias] }: Layer): void {
    raw.segmentMean(input, graph.pointers, graph.indices, mean, nodes, width)
    raw.gemm(input, width, 1, self, width, 1, output, nodes, width, width, 0, scratch)
    raw.gemm(mean, width, 1, neighbour, width, 1, output, nodes, width, width, 1, scratch)
    raw.biasRelu(output, bias, nodes, width, 1)
  }

  /** From delta by the output to the gradients of the weights. */
  function backward({ input, mean, output, gradients: [gSelf, gNeighbour, gBias] }: Layer): void {
    raw.reluBackward(delta, output, nodes * width)
    raw.columnSums(delta, gBias, nodes, width)
    raw.gemm(input, 1, width, delta, width, 1, gSelf, width, width, nodes, 0, scratch)
    raw.gemm(mean, 1, width, delta, width, 1, gNeighbour, width, width, nodes, 0, scratch)
  }

  /** From delta by the output to delta by the input, which takes its place. */
  function backwardToInput({ weights: [self, neighbour] }: Layer): void {
    raw.gemm(delta, width, 1, neighbour, 1, width, gMean, nodes, width, width, 0, scratch)
    const { transposedPointers, transposedIndices, weights } = graph
    raw.segmentWeightedSum(gMean, transposedPointers, transposedIndices, weights, spread, nodes, width)
    raw.gemm(delta, width, 1, self, 1, width, spread, nodes, width, width, 1, scratch)
    ;[delta, spread] = [spread, delta]
  }

  function step(): number {
    forward(first)
    forward(second)
    raw.gemm(second.output, width, 1, head, 2, 1, logits, nodes, 2, width, 0, scratch)
    raw.biasRelu(logits, headBias, nodes, 2, 0)
    const loss = crossEntropy(kernels, logits, labels, gLogits)
    raw.columnSums(gLogits, gHeadBias, nodes, 2)
    raw.gemm(second.output, 1, width, gLogits, 2, 1, gHead, width, 2, nodes, 0, scratch)
    raw.gemm(gLogits, 2, 1, head, 1, 2, delta, nodes, width, 2, 0, scratch)
    backward(second)
    backwardToInput(second)
    backward(first)
    adam()
    return loss
  }

  return { step }
}
