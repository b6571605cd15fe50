/** A graph of operators under construction: values are named by the operator that makes them. */

import { fail } from '../../../base/errors.ts'
import type { Layer } from '../../dense.ts'
import type { TensorShape } from '../../model.ts'
import type { Attribute, OnnxNode, OnnxTensor } from './encode.ts'

export class Graph {
  readonly nodes: OnnxNode[] = []
  readonly tensors: OnnxTensor[] = []
  private readonly constants = new Map<string, string>()

  /** @param layout of the flat `values`, whose tensors become initialisers of the same names */
  constructor(layout: readonly TensorShape[], values: Float32Array) {
    let at = 0
    for (const { name, shape } of layout) {
      const count = shape.reduce((product, size) => product * size, 1)
      this.tensors.push({ name, shape, values: values.subarray(at, at + count) })
      at += count
    }
    if (at !== values.length) fail('wrong-shape', `the model has ${at} parameters, ${values.length} were given`)
  }

  /** Name of the value that the operator makes. */
  op(type: string, inputs: readonly string[], attributes: readonly Attribute[] = [], output?: string): string {
    const name = output ?? `${type}_${this.nodes.length}`
    this.nodes.push({ type, inputs, output: name, attributes })
    return name
  }

  /** A vector of whole numbers, as shapes and axes are given. */
  ints(...values: readonly number[]): string {
    return this.constant(`ints_${values.join('_')}`, [values.length], () => BigInt64Array.from(values, BigInt))
  }

  float(value: number): string {
    return this.constant(`float_${value}`, [], () => Float32Array.of(value))
  }

  constant(name: string, shape: readonly number[], make: () => OnnxTensor['values']): string {
    if (!this.constants.has(name)) this.tensors.push({ name, shape, values: make() })
    this.constants.set(name, name)
    return name
  }

  reshape(value: string, ...shape: readonly number[]): string {
    return this.op('Reshape', [value, this.ints(...shape)])
  }

  /** Columns [from, to) of a matrix. */
  columns(value: string, from: number, to: number): string {
    return this.op('Slice', [value, this.ints(from), this.ints(to), this.ints(1)])
  }

  /** A stack of dense layers whose last layer has one output, which becomes a vector. */
  dense(prefix: string, layers: readonly Layer[], input: string, output: string): string {
    return this.op('Reshape', [this.layers(prefix, layers, input), this.ints(-1)], [], output)
  }

  /** A stack of dense layers with ReLU between them. */
  layers(prefix: string, layers: readonly Layer[], input: string): string {
    return layers.reduce((value, _, i) => {
      const layer = `${prefix}layer${String(i).padStart(2, '0')}`
      const sum = this.op('Gemm', [value, `${layer}.weight`, `${layer}.bias`])
      return i + 1 < layers.length ? this.op('Relu', [sum]) : sum
    }, input)
  }
}
