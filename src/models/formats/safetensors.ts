/**
 * safetensors (https://huggingface.co/docs/safetensors), in one canonical form only: float32, tensors contiguous in the
 * order of their names, RFC 8785 header padded with spaces to a multiple of 8. Equal content is equal bytes, so that
 * the SHA-256 of the file can name the model. Files come from strangers; a header that is not what this file would have
 * written is refused, which covers duplicate keys, odd numbers and white space in one comparison.
 */

import { equalBytes, text, utf8 } from '../../base/bytes.ts'
import { canonicalJson } from '../../base/canonical.ts'
import { fail } from '../../base/errors.ts'

export interface TensorInfo {
  readonly name: string
  readonly shape: readonly number[]
  readonly dtype: 'F32'
  /** Byte offsets within the data section. */
  readonly begin: number
  readonly end: number
}

export interface SafetensorsHeader {
  /** Sorted by name. */
  readonly tensors: readonly TensorInfo[]
  readonly metadata: Readonly<Record<string, string>>
  /** Bytes before the data section. */
  readonly dataOffset: number
  readonly dataLength: number
}

export interface Tensor {
  readonly shape: readonly number[]
  readonly values: Float32Array
}

/** Bounds what a stranger can make us parse. */
export const HEADER_BYTES_MAX = 1 << 20
const DIMENSIONS_MAX = 8
const NAME = /^(?!__)[A-Za-z0-9._/-]{1,256}$/

/** Bytes of the JSON header, from the first 8 bytes of the file. @throws model-invalid */
export function headerLength(first8: Uint8Array): number {
  if (first8.length < 8) invalid('the file ends within its first 8 bytes')
  const length = new DataView(first8.buffer, first8.byteOffset, 8).getBigUint64(0, true)
  if (length > BigInt(HEADER_BYTES_MAX)) invalid(`the header claims ${length} bytes; ${HEADER_BYTES_MAX} are allowed`)
  if (length < 2n || length % 8n !== 0n) invalid('the header is not padded to a multiple of 8 bytes')
  return Number(length)
}

/** Parses the first 8 bytes and the header that follows them, of a file of `fileSize` bytes. @throws model-invalid */
export function parseHeader(bytes: Uint8Array, fileSize: number): SafetensorsHeader {
  const dataOffset = 8 + headerLength(bytes)
  if (bytes.length < dataOffset) invalid('the file ends within its header')
  const json = parseJson(bytes.subarray(8, dataOffset))
  const metadata = parseMetadata(json)
  const tensors = parseTensors(json)
  const dataLength = tensors.at(-1)?.end ?? 0
  if (fileSize !== dataOffset + dataLength)
    invalid(`the file has ${fileSize} bytes, its header describes ${dataOffset + dataLength}`)
  if (!equalBytes(encodeHeader(tensors, metadata), bytes.subarray(0, dataOffset)))
    invalid('the header is not in canonical form')
  return { tensors, metadata, dataOffset, dataLength }
}

/** The first 8 bytes and the header of a file with these tensors, given in any order. @throws model-invalid */
export function encodeHeader(
  tensors: readonly { readonly name: string; readonly shape: readonly number[] }[],
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  let begin = 0
  const entries = sortByName(tensors).map(({ name, shape }): [string, object] => {
    const end = begin + 4 * elementCount(name, shape)
    const entry: [string, object] = [name, { dtype: 'F32', shape: [...shape], data_offsets: [begin, end] }]
    begin = end
    return entry
  })
  const withMetadata =
    Object.keys(metadata).length > 0 ? [...entries, ['__metadata__', checkMetadata(metadata)] as const] : entries
  const json = canonicalJson(Object.fromEntries(withMetadata))
  const content = utf8(json)
  const padded = Math.ceil(content.length / 8) * 8
  if (padded > HEADER_BYTES_MAX) invalid(`the header would have ${padded} bytes; ${HEADER_BYTES_MAX} are allowed`)
  const bytes = new Uint8Array(8 + padded).fill(0x20)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(padded), true)
  bytes.set(content, 8)
  return bytes
}

/** A whole file. @throws model-invalid if the number of values is not that of the shape */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Readonly<Record<string, string>>,
): Uint8Array {
  const named = sortByName([...tensors].map(([name, { shape, values }]) => ({ name, shape, values })))
  const header = encodeHeader(named, metadata)
  const dataLength = named.reduce((bytes, { values }) => bytes + values.byteLength, 0)
  const file = new Uint8Array(header.length + dataLength)
  file.set(header)
  let at = header.length
  for (const { name, shape, values } of named) {
    if (values.length !== elementCount(name, shape)) invalid(`tensor ${name} has ${values.length} values`)
    // All machines that this program runs on are little-endian, as the format is.
    file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at)
    at += values.byteLength
  }
  return file
}

/** Copies of all tensors of a file. @throws model-invalid */
export function decodeSafetensors(file: Uint8Array): { header: SafetensorsHeader; tensors: Map<string, Tensor> } {
  const header = parseHeader(file, file.length)
  const tensors = new Map<string, Tensor>()
  for (const { name, shape, begin, end } of header.tensors) {
    const bytes = file.slice(header.dataOffset + begin, header.dataOffset + end)
    tensors.set(name, { shape, values: new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4) })
  }
  return { header, tensors }
}

/** Same names and shapes, and so the same offsets. */
export function sameLayout(a: SafetensorsHeader, b: SafetensorsHeader): boolean {
  const key = ({ tensors }: SafetensorsHeader): string =>
    JSON.stringify(tensors.map(({ name, shape }) => [name, shape]))
  return key(a) === key(b)
}

function invalid(message: string): never {
  fail('model-invalid', message)
}

function sortByName<T extends { readonly name: string }>(tensors: readonly T[]): readonly T[] {
  const sorted = [...tensors].toSorted((a, b) => (a.name < b.name ? -1 : 1))
  sorted.forEach(({ name }, i) => {
    if (!NAME.test(name)) invalid(`"${name.slice(0, 64)}" cannot name a tensor`)
    if (sorted[i + 1]?.name === name) invalid(`two tensors are named ${name}`)
  })
  return sorted
}

function elementCount(name: string, shape: readonly number[]): number {
  if (shape.length > DIMENSIONS_MAX) invalid(`tensor ${name} has more than ${DIMENSIONS_MAX} dimensions`)
  let count = 1
  for (const size of shape) {
    if (!Number.isSafeInteger(size) || size < 1)
      invalid(`tensor ${name} has a dimension that is not a positive integer`)
    count *= size
    if (count > Number.MAX_SAFE_INTEGER / 8) invalid(`tensor ${name} is too large`)
  }
  return count
}

type JsonObject = Readonly<Record<string, unknown>>

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function parseJson(header: Uint8Array): JsonObject {
  let value: unknown
  try {
    value = JSON.parse(text(header))
  } catch {
    invalid('the header is not JSON')
  }
  if (!isObject(value)) invalid('the header is not a JSON object')
  return value
}

function parseMetadata(json: JsonObject): Readonly<Record<string, string>> {
  const metadata = Object.hasOwn(json, '__metadata__') ? json['__metadata__'] : {}
  if (!isObject(metadata)) invalid('the metadata is not an object')
  return checkMetadata(metadata)
}

/**
 * Strings only, which UTF-8 can hold: JSON may spell half a surrogate pair. `__proto__` is refused, because a reader that
 * assigns keys would set a prototype with it.
 */
function checkMetadata(metadata: JsonObject): Readonly<Record<string, string>> {
  for (const [key, value] of Object.entries(metadata))
    if (typeof value !== 'string' || !value.isWellFormed() || !key.isWellFormed() || key === '__proto__')
      invalid(`metadata ${JSON.stringify(key.slice(0, 64))} is not a string`)
  return metadata as Readonly<Record<string, string>>
}

/** Tensors in name order; offsets are computed, and the comparison with the canonical header proves the given ones. */
function parseTensors(json: JsonObject): readonly TensorInfo[] {
  const entries = Object.entries(json).filter(([name]) => name !== '__metadata__')
  let begin = 0
  return sortByName(entries.map(([name, entry]) => parseTensor(name, entry))).map(({ name, shape }) => {
    const end = begin + 4 * elementCount(name, shape)
    const info: TensorInfo = { name, shape, dtype: 'F32', begin, end }
    begin = end
    return info
  })
}

function parseTensor(name: string, entry: unknown): { name: string; shape: readonly number[] } {
  const shown = JSON.stringify(name.slice(0, 64))
  if (!isObject(entry)) invalid(`tensor ${shown} is not an object`)
  if (entry['dtype'] !== 'F32') invalid(`tensor ${shown} is not F32`)
  const { shape } = entry
  if (!Array.isArray(shape) || !shape.every((size) => typeof size === 'number')) invalid(`tensor ${shown} has no shape`)
  return { name, shape }
}
