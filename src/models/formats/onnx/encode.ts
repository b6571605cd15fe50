/**
 * ONNX files: onnx.proto of ONNX 1.13 (IR version 8, operator set 17), of which only what is written here. Field numbers
 * are those of https://github.com/onnx/onnx/blob/v1.13.0/onnx/onnx.proto.
 */

import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { fail } from '../../../base/errors.ts'

export const IR_VERSION = 8
export const OPSET = 17
/** Protobuf readers take no larger message. */
const BYTES_MAX = 2 ** 31 - 1

const FLOAT = 1
const INT64 = 7
const DOUBLE = 11

export type Attribute =
  | { readonly name: string; readonly float: number }
  | { readonly name: string; readonly int: number }
  | { readonly name: string; readonly ints: readonly number[] }

export interface OnnxNode {
  readonly type: string
  readonly inputs: readonly string[]
  readonly output: string
  readonly attributes: readonly Attribute[]
}

export interface OnnxTensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly values: Float32Array | Float64Array | BigInt64Array
}

/** A float32 matrix or vector whose first dimension is the batch. */
export interface OnnxValue {
  readonly name: string
  /** Sizes after the batch. */
  readonly shape: readonly number[]
}

export interface OnnxModel {
  readonly name: string
  readonly nodes: readonly OnnxNode[]
  readonly tensors: readonly OnnxTensor[]
  readonly inputs: readonly OnnxValue[]
  readonly outputs: readonly OnnxValue[]
  readonly producerVersion: string
  readonly metadata: Readonly<Record<string, string>>
}

/** The same model gives the same bytes. @throws invalid-request beyond 2 GiB */
export function encodeOnnx(model: OnnxModel): Uint8Array {
  const bytes = model.tensors.reduce((sum, { values }) => sum + values.byteLength, 0)
  if (bytes > BYTES_MAX) fail('invalid-request', `a model of ${bytes} bytes does not fit into an ONNX file of 2 GiB`)
  const writer = new BinaryWriter()
  int(writer, 1, IR_VERSION)
  text(writer, 2, 'entente')
  text(writer, 3, model.producerVersion)
  message(writer, 7, () => graph(writer, model))
  message(writer, 8, () => {
    text(writer, 1, '')
    int(writer, 2, OPSET)
  })
  for (const [key, value] of Object.entries(model.metadata).toSorted(([a], [b]) => (a < b ? -1 : 1)))
    message(writer, 14, () => {
      text(writer, 1, key)
      text(writer, 2, value)
    })
  return writer.finish()
}

function graph(writer: BinaryWriter, { nodes, name, tensors, inputs, outputs }: OnnxModel): void {
  for (const node of nodes) message(writer, 1, () => nodeProto(writer, node))
  text(writer, 2, name)
  for (const tensor of tensors) message(writer, 5, () => tensorProto(writer, tensor))
  for (const value of inputs) message(writer, 11, () => valueInfo(writer, value))
  for (const value of outputs) message(writer, 12, () => valueInfo(writer, value))
}

function nodeProto(writer: BinaryWriter, { inputs, output, type, attributes }: OnnxNode): void {
  for (const input of inputs) text(writer, 1, input)
  text(writer, 2, output)
  text(writer, 3, output)
  text(writer, 4, type)
  for (const attribute of attributes) message(writer, 5, () => attributeProto(writer, attribute))
}

function attributeProto(writer: BinaryWriter, attribute: Attribute): void {
  text(writer, 1, attribute.name)
  if ('float' in attribute) {
    writer.tag(2, WireType.Bit32).float(attribute.float)
    int(writer, 20, 1)
  } else if ('int' in attribute) {
    int(writer, 3, attribute.int)
    int(writer, 20, 2)
  } else {
    for (const value of attribute.ints) int(writer, 8, value)
    int(writer, 20, 7)
  }
}

/** Values as raw little-endian bytes, as all machines that this program runs on have them in memory. */
function tensorProto(writer: BinaryWriter, { shape, values, name }: OnnxTensor): void {
  for (const size of shape) int(writer, 1, size)
  int(writer, 2, values instanceof Float32Array ? FLOAT : values instanceof Float64Array ? DOUBLE : INT64)
  text(writer, 8, name)
  writer.tag(9, WireType.LengthDelimited).bytes(new Uint8Array(values.buffer, values.byteOffset, values.byteLength))
}

function valueInfo(writer: BinaryWriter, { name, shape }: OnnxValue): void {
  text(writer, 1, name)
  message(writer, 2, () =>
    message(writer, 1, () => {
      int(writer, 1, FLOAT)
      message(writer, 2, () => {
        message(writer, 1, () => text(writer, 2, 'rows'))
        for (const size of shape) message(writer, 1, () => int(writer, 1, size))
      })
    }),
  )
}

function int(writer: BinaryWriter, field: number, value: number): void {
  writer.tag(field, WireType.Varint).int64(value)
}

function text(writer: BinaryWriter, field: number, value: string): void {
  writer.tag(field, WireType.LengthDelimited).string(value)
}

function message(writer: BinaryWriter, field: number, write: () => void): void {
  writer.tag(field, WireType.LengthDelimited).fork()
  write()
  writer.join()
}
