/** An update as an organisation makes it: the difference of two models, in a file of the model's layout. */

import { concatBytes } from '../base/bytes.ts'
import { fail } from '../base/errors.ts'
import type { Digest } from '../base/ids.ts'
import { encodeHeader } from '../models/formats/safetensors.ts'
import type { TensorShape } from '../models/model.ts'
import { updateMetadata } from './validate-update.ts'

/** w_local - w_base, rounded once to float32. @throws wrong-shape */
export function updateOf(trained: Float32Array, base: Float32Array): Float32Array {
  if (trained.length !== base.length)
    fail('wrong-shape', `models of ${trained.length} and ${base.length} values differ in shape`)
  return trained.map((value, i) => value - (base[i] ?? 0))
}

/** The file of an update given in layout order: its digest names the contribution. @throws wrong-shape */
export function encodeUpdate(update: Float32Array, layout: readonly TensorShape[], baseModel: Digest): Uint8Array {
  const size = layout.reduce((total, { shape }) => total + shape.reduce((product, n) => product * n, 1), 0)
  if (update.length !== size) fail('wrong-shape', `the update has ${update.length} values, the layout ${size}`)
  const data = new Uint8Array(update.buffer, update.byteOffset, update.byteLength)
  return concatBytes(encodeHeader(layout, updateMetadata(baseModel)), data)
}
