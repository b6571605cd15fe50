import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { utf8 } from '../../base/bytes.ts'
import {
  decodeSafetensors,
  encodeHeader,
  encodeSafetensors,
  HEADER_BYTES_MAX,
  headerLength,
  parseHeader,
  sameLayout,
  type Tensor,
} from './safetensors.ts'

/** A file whose header is this text, padded as the format asks, with `dataLength` zero bytes of data. */
function fileOf(json: string, dataLength: number): Uint8Array {
  const content = utf8(json)
  const padded = Math.ceil(content.length / 8) * 8
  const file = new Uint8Array(8 + padded + dataLength)
  new DataView(file.buffer).setBigUint64(0, BigInt(padded), true)
  file.fill(0x20, 8, 8 + padded)
  file.set(content, 8)
  return file
}

const one = (entry: string): string => `{"a":${entry}}`
const good = '{"data_offsets":[0,8],"dtype":"F32","shape":[2]}'
const invalid = expect.objectContaining({ code: 'model-invalid' })

const name = fc.stringMatching(/^[A-Za-z0-9./-][A-Za-z0-9._/-]{0,20}$/)
const tensor = fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 3 }).chain((shape) =>
  fc
    .array(fc.float({ noNaN: true }), {
      minLength: shape.reduce((a, b) => a * b, 1),
      maxLength: shape.reduce((a, b) => a * b, 1),
    })
    .map((values): Tensor => ({ shape, values: Float32Array.from(values) })),
)
const tensors = fc
  .uniqueArray(fc.tuple(name, tensor), { selector: ([key]) => key, maxLength: 6 })
  .map((all) => new Map(all))
const metadata = fc.dictionary(
  fc.string({ unit: 'grapheme' }).filter((key) => key !== '__proto__'),
  fc.string({ unit: 'grapheme' }),
  { maxKeys: 4 },
)

describe('a file', () => {
  it('gives back what went in, whatever the order of insertion, as the same bytes', () => {
    fc.assert(
      fc.property(tensors, metadata, (given, notes) => {
        const file = encodeSafetensors(given, notes)
        const decoded = decodeSafetensors(file)
        expect(decoded.tensors).toEqual(new Map([...given].toSorted(([a], [b]) => (a < b ? -1 : 1))))
        expect({ ...decoded.header.metadata }).toEqual({ ...notes })
        const reversed = new Map([...given].toReversed())
        const notesReversed = Object.fromEntries(Object.entries(notes).toReversed())
        expect(encodeSafetensors(reversed, notesReversed)).toEqual(file)
      }),
    )
  })

  it('is byte for byte what the format says', () => {
    const file = encodeSafetensors(new Map([['w', { shape: [2], values: Float32Array.of(1, -2) }]]), { k: 'v' })
    const json = '{"__metadata__":{"k":"v"},"w":{"data_offsets":[0,8],"dtype":"F32","shape":[2]}}'
    expect(file).toEqual(Uint8Array.from([...fileOf(json, 0), 0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]))
    expect(file.length % 8).toBe(0)
  })

  it('cut anywhere or with one byte more is refused', () => {
    const file = encodeSafetensors(new Map([['w', { shape: [2], values: Float32Array.of(1, -2) }]]), { k: 'v' })
    for (let length = 0; length < file.length; length++)
      expect(() => decodeSafetensors(file.slice(0, length))).toThrow(invalid)
    expect(() => decodeSafetensors(Uint8Array.from([...file, 0]))).toThrow(invalid)
  })

  it('with any byte of its header changed is refused or means something else', () => {
    const file = encodeSafetensors(new Map([['w', { shape: [2], values: Float32Array.of(1, -2) }]]), { k: 'v' })
    const before = decodeSafetensors(file).header
    for (let at = 0; at < before.dataOffset; at++)
      for (const bit of [1, 8, 64]) {
        const changed = file.slice()
        changed[at] = (changed[at] ?? 0) ^ bit
        let after: unknown
        try {
          after = decodeSafetensors(changed).header
        } catch (error) {
          expect(error).toEqual(invalid)
        }
        expect(after).not.toEqual(before)
      }
  })
})

describe('a hostile header', () => {
  const cases: Record<string, [json: string, dataLength: number]> = {
    'that is not JSON': ['{', 0],
    'that is an array': ['[]', 0],
    'that is null': ['null', 0],
    'with overlapping tensors': [`{"a":${good},"b":{"data_offsets":[4,12],"dtype":"F32","shape":[2]}}`, 12],
    'with a gap between tensors': [`{"a":${good},"b":{"data_offsets":[12,20],"dtype":"F32","shape":[2]}}`, 20],
    'with tensors out of name order': [`{"a":{"data_offsets":[8,16],"dtype":"F32","shape":[2]},"b":${good}}`, 16],
    'with keys out of order': [`{"b":{"data_offsets":[8,16],"dtype":"F32","shape":[2]},"a":${good}}`, 16],
    'with more bytes than the shape needs': [one('{"data_offsets":[0,12],"dtype":"F32","shape":[2]}'), 12],
    'with negative offsets': [one('{"data_offsets":[-8,0],"dtype":"F32","shape":[2]}'), 0],
    'with another dtype': [one('{"data_offsets":[0,4],"dtype":"F16","shape":[2]}'), 4],
    'without a dtype': [one('{"data_offsets":[0,8],"shape":[2]}'), 8],
    'without offsets': [one('{"dtype":"F32","shape":[2]}'), 8],
    'with an unknown member': [one('{"data_offsets":[0,8],"dtype":"F32","shape":[2],"x":1}'), 8],
    'with a tensor that is a string': [one('"x"'), 0],
    'with a tensor that is null': [one('null'), 0],
    'with a shape that is a number': [one('{"data_offsets":[0,8],"dtype":"F32","shape":2}'), 8],
    'with a negative dimension': [one('{"data_offsets":[0,8],"dtype":"F32","shape":[-2]}'), 8],
    'with a zero dimension': [one('{"data_offsets":[0,0],"dtype":"F32","shape":[0]}'), 0],
    'with a fractional dimension': [one('{"data_offsets":[0,8],"dtype":"F32","shape":[2.5]}'), 8],
    'with a dimension as text': [one('{"data_offsets":[0,8],"dtype":"F32","shape":["2"]}'), 8],
    'with a NaN': [one('{"data_offsets":[0,8],"dtype":"F32","shape":[NaN]}'), 8],
    'with an infinite number': [one('{"data_offsets":[0,8],"dtype":"F32","shape":[1e999]}'), 8],
    'with a number in another spelling': [one('{"data_offsets":[0,8],"dtype":"F32","shape":[2e0]}'), 8],
    'with a minus zero': [one('{"data_offsets":[-0,8],"dtype":"F32","shape":[2]}'), 8],
    'with dimensions whose product overflows': [
      one('{"data_offsets":[0,0],"dtype":"F32","shape":[4294967296,4294967296]}'),
      0,
    ],
    'with nine dimensions': [one('{"data_offsets":[0,4],"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1]}'), 4],
    'with two tensors of one name': [`{"a":${good},"a":${good}}`, 8],
    'with duplicate members': [one('{"data_offsets":[0,8],"dtype":"F32","dtype":"F32","shape":[2]}'), 8],
    'with a tensor called __proto__': [`{"__proto__":${good}}`, 8],
    'with a tensor called constructor that is no object': ['{"constructor":1}', 0],
    'with an empty name': [`{"":${good}}`, 8],
    'with a name that walks directories by control characters': [`{"a\\u0000b":${good}}`, 8],
    'with metadata called __proto__': ['{"__metadata__":{"__proto__":"x"}}', 0],
    'with metadata that is no string': ['{"__metadata__":{"x":1}}', 0],
    'with metadata that is an array': ['{"__metadata__":[]}', 0],
    'with empty metadata': ['{"__metadata__":{}}', 0],
    'with white space': [`{"a": ${good}}`, 8],
    'with a trailing comma': [`{"a":${good},}`, 8],
  }

  it('is accepted when it is in order', () => {
    expect(decodeSafetensors(fileOf(one(good), 8)).tensors.get('a')?.values).toEqual(new Float32Array(2))
    expect(decodeSafetensors(fileOf('{}', 0)).tensors.size).toBe(0)
  })

  for (const [what, [json, dataLength]] of Object.entries(cases))
    it(`${what} is refused`, () => {
      expect(() => decodeSafetensors(fileOf(json, dataLength))).toThrow(invalid)
    })

  it('that is no UTF-8 is refused', () => {
    const file = fileOf(one(good), 8)
    file[10] = 0xff
    expect(() => decodeSafetensors(file)).toThrow(invalid)
  })

  it('cannot make the reader allocate: a length beyond the limit is refused before anything is read', () => {
    for (const length of [BigInt(HEADER_BYTES_MAX) + 8n, 2n ** 63n, 2n ** 64n - 8n]) {
      const bytes = new Uint8Array(8)
      new DataView(bytes.buffer).setBigUint64(0, length, true)
      expect(() => headerLength(bytes)).toThrow(invalid)
    }
    expect(() => headerLength(new Uint8Array(7))).toThrow(invalid)
    expect(() => headerLength(new Uint8Array(8))).toThrow(invalid)
  })

  it('padded by more than needed is refused, since it would be a second file of one content', () => {
    const json = one(good)
    expect(() => decodeSafetensors(fileOf(json.padEnd(Math.ceil(json.length / 8) * 8 + 8), 8))).toThrow(invalid)
  })
})

describe('the encoder', () => {
  it('refuses names and shapes that its own parser would refuse', () => {
    for (const [key, shape] of [
      ['__proto__', [1]],
      ['a b', [1]],
      ['a', [0]],
      ['a', [1.5]],
      ['a', [-1]],
    ] as const)
      expect(() => encodeHeader([{ name: key, shape }], {})).toThrow(invalid)
    expect(() =>
      encodeHeader(
        [
          { name: 'a', shape: [1] },
          { name: 'a', shape: [1] },
        ],
        {},
      ),
    ).toThrow(invalid)
    expect(() => encodeSafetensors(new Map([['a', { shape: [2], values: new Float32Array(3) }]]), {})).toThrow(invalid)
    expect(() => encodeHeader([], { big: 'x'.repeat(HEADER_BYTES_MAX) })).toThrow(invalid)
  })
})

describe('layouts', () => {
  const header = (tensorsOf: readonly { name: string; shape: readonly number[] }[], fileSize: number, notes = {}) => {
    const bytes = encodeHeader(tensorsOf, notes)
    return parseHeader(bytes, bytes.length + fileSize)
  }

  it('are the same whatever the metadata, and differ in any name or shape', () => {
    const a = header([{ name: 'w', shape: [2, 3] }], 24)
    expect(sameLayout(a, header([{ name: 'w', shape: [2, 3] }], 24, { note: 'x' }))).toBe(true)
    expect(sameLayout(a, header([{ name: 'w', shape: [3, 2] }], 24))).toBe(false)
    expect(sameLayout(a, header([{ name: 'v', shape: [2, 3] }], 24))).toBe(false)
    expect(sameLayout(a, header([{ name: 'w', shape: [6] }], 24))).toBe(false)
  })
})
