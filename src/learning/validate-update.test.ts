import { beforeAll, describe, expect, it } from 'vitest'
import { loadKernels } from '../../test/kernels.ts'
import { concatBytes } from '../base/bytes.ts'
import { encodeSafetensors } from '../models/formats/safetensors.ts'
import { BASE_DIGEST, digestFor, fileOf, memoryFile, modelReader } from './learning.suite.ts'
import type { TensorReader } from './tensor-reader.ts'
import { encodeUpdate, updateOf } from './update-file.ts'
import { updateMetadata, validateUpdate } from './validate-update.ts'

const kernels = loadKernels()
const values = [1, 2, 3, 4, 5]
let base: TensorReader
beforeAll(async () => {
  base = await modelReader(values)
})

const right = updateMetadata(BASE_DIGEST)
const validate = (file: Uint8Array, chunkElements = 2): Promise<TensorReader> =>
  validateUpdate(memoryFile(file), { header: base.header, digest: BASE_DIGEST }, kernels, chunkElements)
const refused = (file: Uint8Array, code: string): Promise<void> =>
  expect(validate(file)).rejects.toMatchObject({ code })

describe('an update', () => {
  it('as an organisation writes it passes', async () => {
    const layout = base.header.tensors
    const update = updateOf(Float32Array.of(2, 2, 3, 4, 5), Float32Array.from(values))
    expect([...update]).toEqual([1, 0, 0, 0, 0])
    const file = encodeUpdate(update, layout, BASE_DIGEST)
    expect(file).toEqual(fileOf([1, 0, 0, 0, 0], right))
    expect((await validate(file)).header.dataLength).toBe(20)
  })

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'with %d anywhere is not finite',
    async (value) => {
      for (let at = 0; at < values.length; at++) await refused(fileOf(values.with(at, value), right), 'not-finite')
    },
  )

  it('of another base model is refused', async () => {
    await refused(fileOf(values, updateMetadata(digestFor('other'))), 'wrong-base-model')
    await refused(fileOf(values, { format: 'entente-update-1' }), 'wrong-base-model')
  })

  it('of another shape, or with other tensor names, is refused', async () => {
    await refused(fileOf([...values, 6], right), 'wrong-shape')
    const tensor = { shape: [5], values: Float32Array.from(values) }
    await refused(encodeSafetensors(new Map([['a', tensor]]), right), 'wrong-shape')
    const renamed = [
      ['a', 2],
      ['c', 3],
    ].map(([name, n]) => [name, { shape: [n], values: new Float32Array(Number(n)) }])
    await refused(encodeSafetensors(new Map(renamed as never), right), 'wrong-shape')
  })

  it('that is a model, or carries more metadata, is refused', async () => {
    await refused(fileOf(values, { format: 'entente-model-1', base_model: BASE_DIGEST }), 'model-invalid')
    await refused(fileOf(values, { ...right, note: 'hello' }), 'model-invalid')
  })

  it('of another dtype is refused as malformed', async () => {
    const file = fileOf(values, right)
    const header = new TextDecoder().decode(file).replace('F32', 'F64')
    const changed = file.slice()
    changed.set(new TextEncoder().encode(header.slice(0, 60)))
    await refused(changed, 'model-invalid')
  })

  it('that ends early anywhere is refused as truncated: sending it again may help', async () => {
    const file = fileOf(values, right)
    for (let length = 0; length < file.length; length++) await refused(file.subarray(0, length), 'blob-truncated')
  })

  it('with bytes after its end is refused', async () => {
    await refused(concatBytes(fileOf(values, right), new Uint8Array(4)), 'model-invalid')
  })

  it('that claims an enormous header is refused before it is read', async () => {
    const file = memoryFile(new Uint8Array(64).fill(255))
    await expect(validateUpdate(file, { header: base.header, digest: BASE_DIGEST }, kernels)).rejects.toMatchObject({
      code: 'model-invalid',
    })
    expect(file.reads).toBe(1)
  })

  it('of the wrong length is not written', () => {
    expect(() => encodeUpdate(new Float32Array(4), base.header.tensors, BASE_DIGEST)).toThrow(
      expect.objectContaining({ code: 'wrong-shape' }),
    )
    expect(() => updateOf(new Float32Array(4), new Float32Array(5))).toThrow(
      expect.objectContaining({ code: 'wrong-shape' }),
    )
  })
})
