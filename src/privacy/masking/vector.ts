/**
 * The part of a round that works on whole vectors: what the participant's machine and the hub's machine order, carried
 * out beside them. An order is JSON and holds secrets: it is stored encrypted and removed with the round.
 */

import { fromBase64Url, toBase64Url, utf8 } from '../../base/bytes.ts'
import { fail } from '../../base/errors.ts'
import type { Digest, OrganisationId } from '../../base/ids.ts'
import { release } from '../../base/release.ts'
import { type MaskArithmetic, plainArithmetic } from './arithmetic.ts'
import { deriveKey, SEED_BYTES } from './keys.ts'
import { type Keystream, keystream } from './keystream.ts'
import { applyMasks, type Mask, sumOf } from './mask.ts'
import { clippedOf, quantise, type Quantised, ROUNDING_BYTES, roundingOf, type Scale } from './quantise.ts'

/** A mask as JSON: `+` or `-` and the seed, base64url. */
export type MaskText = string

export function maskText({ seed, sign }: Mask): MaskText {
  return (sign === 1 ? '+' : '-') + toBase64Url(seed)
}

export function readMask(text: MaskText): Mask {
  const seed = fromBase64Url(text.slice(1))
  if (seed === undefined || !/^[+-]/.test(text)) fail('internal', 'not a mask')
  return { seed, sign: text.startsWith('+') ? 1 : -1 }
}

/** What a participant does to its update. */
export interface MaskOrder {
  readonly length: number
  readonly weight: number
  readonly scale: Scale
  /** Key of the stochastic rounding, 16 bytes, base64url: the same update gives the same integers, in every run. */
  readonly rounding: string
  readonly masks: readonly MaskText[]
}

/** Key of the draws of a stochastic rounding, from its name. */
export function roundingKey(name: string): string {
  return toBase64Url(deriveKey(utf8(name), new Uint8Array(), 'rounding', [], SEED_BYTES))
}

/** The quantised update without masks: what the sum is made of. Never leaves the organisation. */
export function quantiseFor(order: MaskOrder, update: Float32Array): Quantised {
  checkLength(order, update)
  return quantise(update, order.weight, order.scale, drawsFrom(order, 0))
}

function checkLength({ length }: MaskOrder, update: Float32Array): void {
  if (update.length !== length) fail('wrong-shape', `the update has ${update.length} values, the round takes ${length}`)
}

function drawsFrom({ rounding }: MaskOrder, start: number): Keystream {
  return keystream(fromBase64Url(rounding) ?? fail('internal', 'not a key'), ROUNDING_BYTES * start)
}

/** Round 2 of Bonawitz et al. 2017, Figure 4: y_u = x_u + PRG(b_u) + sum of +-PRG(s_uv), mod 2^b, little-endian. */
export function maskUpdate(
  order: MaskOrder,
  update: Float32Array,
  arithmetic: MaskArithmetic = plainArithmetic(order.scale.width),
): Quantised {
  checkLength(order, update)
  return maskRange(order, update, arithmetic, 0)
}

/**
 * The coordinates of {@link maskUpdate} from `start` on, a multiple of 4: the same bits, however it is divided.
 * @param words where they go, if there is memory for them already; in 32 bits it may be that of the values
 */
export function maskRange(
  order: MaskOrder,
  values: Float32Array,
  arithmetic: MaskArithmetic,
  start: number,
  words: Uint8Array = new Uint8Array(vectorBytes({ length: values.length, scale: order.scale })),
): Quantised {
  const { weight, scale } = order
  const [masks, offset, draws] = [order.masks.map(readMask), (start * scale.width) / 8, drawsFrom(order, start)]
  const { round } = arithmetic
  if (round === undefined || scale.width !== 32) {
    const quantised = quantise(values, weight, scale, draws)
    words.set(quantised.words)
    applyMasks(words, masks, arithmetic, offset)
    return { words, clipped: quantised.clipped }
  }
  const { factor, bound } = roundingOf(weight, scale)
  let clipped = 0
  applyMasks(words, masks, arithmetic, offset, (chunk, at) => {
    const lots = draws.next(chunk.length)
    clipped += clippedOf(round(values.subarray(at / 4, (at + chunk.length) / 4), factor, bound, lots))
    release(lots)
  })
  return { words, clipped }
}

/** What the hub does to the masked vectors. */
export interface UnmaskOrder {
  readonly length: number
  readonly scale: Scale
  /** Of the survivors. */
  readonly totalWeight: number
  readonly vectors: readonly { readonly organisation: OrganisationId; readonly vector: Digest }[]
  /** What is still in the sum of the vectors, with the opposite sign. */
  readonly masks: readonly MaskText[]
}

/**
 * Round 4: z = sum of y_u without what is left of the masks, for bytes `offset` and following of the vectors.
 * @param vectors that range of each masked vector, in the order of `order.vectors`
 * @param sum where it goes, if there is memory for it already
 * @returns the same range of the sum of the quantised updates
 */
export function unmaskSum(
  order: UnmaskOrder,
  vectors: readonly Uint8Array[],
  arithmetic: MaskArithmetic = plainArithmetic(order.scale.width),
  offset = 0,
  sum: Uint8Array = new Uint8Array(vectors[0]?.length ?? 0),
): Uint8Array {
  if (vectors.length !== order.vectors.length) fail('internal', 'a masked vector is missing')
  applyMasks(sum, order.masks.map(readMask), arithmetic, offset, sumOf(vectors, sum.length, arithmetic))
  return sum
}

/** Bytes of a masked vector. */
export function vectorBytes({ length, scale }: Pick<MaskOrder, 'length' | 'scale'>): number {
  return (length * scale.width) / 8
}
