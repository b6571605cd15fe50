/** Files from strangers: whatever the bytes are, the reader answers with a value or with model-invalid, and nothing else. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { utf8 } from '../../base/bytes.ts'
import { EntenteError } from '../../base/errors.ts'
import { decodeSafetensors, encodeHeader, encodeSafetensors, HEADER_BYTES_MAX, parseHeader } from './safetensors.ts'

const runs = { numRuns: 2000 }

/** Bytes of a file with this header text, whatever it is, and so many bytes of data. */
function fileOf(
  header: Uint8Array,
  dataLength: number,
  claimed = BigInt(Math.ceil(header.length / 8) * 8),
): Uint8Array {
  const padded = Math.ceil(header.length / 8) * 8
  const file = new Uint8Array(8 + padded + dataLength)
  new DataView(file.buffer).setBigUint64(0, claimed, true)
  file.fill(0x20, 8, 8 + padded)
  file.set(header, 8)
  return file
}

/** What the reader makes of a file: undefined if it refuses. Any other error than model-invalid escapes. */
function read(file: Uint8Array): ReturnType<typeof decodeSafetensors> | undefined {
  try {
    return decodeSafetensors(file)
  } catch (error) {
    if (error instanceof EntenteError && error.code === 'model-invalid') return undefined
    throw error
  }
}

/** A refusal, or a file that is byte for byte what its own content would be written as. */
function refusesOrIsCanonical(file: Uint8Array): void {
  const decoded = read(file)
  if (decoded !== undefined) expect(encodeSafetensors(decoded.tensors, decoded.header.metadata)).toEqual(file)
}

const small = new Map([
  ['a', { shape: [2], values: Float32Array.of(1, -2) }],
  ['b/c', { shape: [1, 3], values: Float32Array.of(3, 4, 5) }],
])
const whole = encodeSafetensors(small, { format: 'entente-model-1', note: 'é' })

describe('the reader of models', () => {
  it('answers any bytes with a value or model-invalid', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), refusesOrIsCanonical), runs)
  })

  it('answers any header text in front of any data with a value or model-invalid', () => {
    const header = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 120 }),
      fc.json({ maxDepth: 5 }),
      fc.string({ unit: fc.constantFrom(...'{}[]":,\\ud80-1e9F32shapedtye_met ') }),
    )
    const property = fc.property(header, fc.nat(40), (text, bytes) => refusesOrIsCanonical(fileOf(utf8(text), bytes)))
    fc.assert(property, runs)
  })

  it('answers headers that are nearly right with a value or model-invalid', () => {
    const number = fc.oneof(
      fc.integer({ min: -2, max: 9 }),
      fc.constantFrom(2 ** 31, 2 ** 32, 2 ** 53, -(2 ** 53), 1e308, 0.5, -0, 4294967296),
    )
    const odd = fc.oneof(fc.constantFrom<unknown>(null, true, 'F32', [], {}, [[1]], '8'), number)
    const entry = fc.record(
      {
        dtype: fc.oneof(fc.constantFrom<unknown>('F32', 'F16', 'BF16', 'I64', 'f32'), odd),
        shape: fc.oneof(fc.array(number, { maxLength: 10 }), odd),
        data_offsets: fc.oneof(fc.array(number, { maxLength: 3 }), odd),
        extra: odd,
      },
      { requiredKeys: [] },
    )
    const name = fc.constantFrom('a', 'b', '__metadata__', '__proto__', 'constructor', 'toString', '', '\ud800', 'é')
    const header = fc.dictionary(name, fc.oneof(entry, odd), { maxKeys: 4, noNullPrototype: true })
    const property = fc.property(header, fc.nat(80), (json, bytes) =>
      refusesOrIsCanonical(fileOf(utf8(JSON.stringify(json)), bytes)),
    )
    fc.assert(property, runs)
  })

  it('answers a good file with some bytes changed, cut or doubled with a value or model-invalid', () => {
    const edit = fc.tuple(fc.nat(whole.length - 1), fc.nat(255))
    const property = fc.property(fc.array(edit, { maxLength: 4 }), fc.nat(), fc.boolean(), (edits, cut, doubled) => {
      const bytes = whole.slice()
      for (const [at, value] of edits) bytes[at] = value
      refusesOrIsCanonical(bytes)
      refusesOrIsCanonical(bytes.subarray(0, cut % (bytes.length + 1)))
      if (doubled) refusesOrIsCanonical(Uint8Array.from([...bytes, ...bytes]))
    })
    fc.assert(property, runs)
  })

  it('does not read outside the bytes that it was given, which may be a part of a larger buffer', () => {
    const around = new Uint8Array(whole.length + 32).fill(0x7f)
    around.set(whole, 11)
    expect(read(around.subarray(11, 11 + whole.length))?.tensors).toEqual(small)
    expect(read(around.subarray(11, 12 + whole.length))).toBeUndefined()
    expect(read(around.subarray(11, 10 + whole.length))).toBeUndefined()
  })

  it('refuses metadata that UTF-8 cannot hold, with the same code as everything else', () => {
    for (const text of ['{"__metadata__":{"k":"\\ud800"}}', '{"__metadata__":{"\\udfff":"v"}}'])
      expect(read(fileOf(utf8(text), 0))).toBeUndefined()
  })

  it('refuses nesting of any depth without running out of stack', () => {
    const depth = 200_000
    for (const text of [
      `${'['.repeat(depth)}${']'.repeat(depth)}`,
      `${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`,
      `{"a":{"dtype":"F32","shape":${'['.repeat(depth)}${']'.repeat(depth)},"data_offsets":[0,4]}}`,
      `{"__metadata__":${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}}`,
      '['.repeat(HEADER_BYTES_MAX),
    ])
      expect(read(fileOf(utf8(text.slice(0, HEADER_BYTES_MAX)), 0))).toBeUndefined()
  })

  it('refuses a shape of a hundred thousand dimensions, and a hundred thousand tensors of one name', () => {
    const shape = `{"a":{"data_offsets":[0,4],"dtype":"F32","shape":[${'1,'.repeat(100_000)}1]}}`
    expect(read(fileOf(utf8(shape), 4))).toBeUndefined()
    expect(read(fileOf(utf8(`{${'"a":1,'.repeat(100_000)}"a":1}`), 0))).toBeUndefined()
  })

  it('allocates by what is there, never by what is claimed', () => {
    const claims = [[2 ** 31], [2 ** 20, 2 ** 20], [65536, 65536, 65536], [2 ** 53 - 1], [1, 1, 2 ** 47]]
    const before = process.memoryUsage().arrayBuffers
    for (const shape of claims) {
      const bytes = 4 * shape.reduce((product, size) => product * size, 1)
      const header = utf8(`{"a":{"data_offsets":[0,${bytes}],"dtype":"F32","shape":[${shape.join(',')}]}}`)
      expect(read(fileOf(header, 16))).toBeUndefined()
    }
    for (const claimed of [8n, 64n, BigInt(HEADER_BYTES_MAX), BigInt(HEADER_BYTES_MAX) + 8n, 2n ** 40n, 2n ** 64n - 8n])
      expect(read(fileOf(utf8('{}'), 3, claimed))).toBeUndefined()
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 << 20)
  })

  it('takes the size of the file from the caller, and refuses a header that describes another', () => {
    const header = encodeHeader([{ name: 'a', shape: [3] }], {})
    expect(parseHeader(header, header.length + 12).dataLength).toBe(12)
    for (const size of [0, header.length, header.length + 8, header.length + 11, header.length + 13, 2 ** 53])
      expect(() => parseHeader(header, size)).toThrow(expect.objectContaining({ code: 'model-invalid' }))
  })
})
