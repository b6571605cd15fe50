/**
 * Noise on integers by its cumulative table: a draw is 32 random bits, a guide, a few comparisons, and 96 more bits in
 * the rare case that the first 32 do not decide. The table holds 128 bits a value, made in 256-bit integers, so it is the
 * same on every machine; how far it is from the exact distribution is computed, and whoever accounts adds it to delta.
 * The running time of a draw depends on its outcome: it must not be measurable by an adversary on the same machine.
 */

import { fail } from '../../base/errors.ts'
import { type RandomBytes, uniformSource } from './bits.ts'
import { type Rational, requirePositive } from './exact.ts'
import { gaussianWeights, skellamWeights, type Weights } from './weights.ts'

/** How the noise is distributed; variance and symmetry are all that two of them have in common. */
export const NOISE_LAWS = ['discrete-gaussian', 'skellam'] as const
export type NoiseLaw = (typeof NOISE_LAWS)[number]

export interface NoiseTable {
  /** Largest magnitude that is ever drawn. */
  readonly magnitudeMax: number
  /** Bound on the statistical (total variation) distance of one draw from the exact distribution. */
  readonly distance: number
  /** Fills `out` with independent draws. */
  draw(out: Int32Array, random: RandomBytes): void
}

const TABLE_BITS = 128n
const GUIDE_BITS = 12
/** Deviation up to which a table is worth its memory and the milliseconds that it takes to make. */
export const TABLE_DEVIATION_MAX = 16_384

const WEIGHTS: Readonly<Record<NoiseLaw, (variance: Rational) => Weights>> = {
  'discrete-gaussian': gaussianWeights,
  skellam: skellamWeights,
}

/** @throws invalid-request for a deviation that is no more than 0 or beyond TABLE_DEVIATION_MAX */
export function createNoiseTable(variance: Rational, law: NoiseLaw = 'discrete-gaussian'): NoiseTable {
  requirePositive(variance)
  if (variance.numerator > variance.denominator * BigInt(TABLE_DEVIATION_MAX) ** 2n)
    fail('invalid-request', `tables are made for deviations up to ${TABLE_DEVIATION_MAX}`)
  const { weights, tail } = WEIGHTS[law](variance)
  const total = weights.reduce((sum, weight) => sum + weight, 0n)
  const limits = cumulative(weights, total)
  const tops = Uint32Array.from(limits, (limit) => Number(limit >> (TABLE_BITS - 32n)))
  const guide = guideOf(tops)
  const last = weights.length - 1
  return {
    magnitudeMax: last,
    distance: distanceBound(weights.length, tail, total),
    draw: (out, random) => drawInto(out, random, { limits, tops, guide, last }),
  }
}

/** limit[k] / 2^128 is the probability of a magnitude of at most k; the last is 1 by definition. */
function cumulative(weights: readonly bigint[], total: bigint): bigint[] {
  let sum = 0n
  const limits = weights.map((weight) => {
    sum += weight
    return (sum << TABLE_BITS) / total
  })
  limits[limits.length - 1] = (1n << TABLE_BITS) - 1n
  return limits
}

/**
 * Half of the sum of |p - p'|: the tail, the rounding of the limits (each moves less than 2^-127 between two magnitudes),
 * and that of the weights, each off by less than its number squared times 2^-254.
 */
function distanceBound(length: number, tail: bigint, total: bigint): number {
  const scaled = (tail << 200n) / total
  return Number(scaled + 1n) * 2 ** -200 + (length + 1) * 2 ** -127 + length ** 3 * 2 ** -254
}

/** For each value of the upper bits of a draw, the smallest magnitude that it can mean. */
function guideOf(tops: Uint32Array): Uint32Array {
  const guide = new Uint32Array(1 << GUIDE_BITS)
  let k = 0
  for (let bucket = 0; bucket < guide.length; bucket++) {
    const lowest = bucket * 2 ** (32 - GUIDE_BITS)
    while ((tops[k] as number) < lowest) k++
    guide[bucket] = k
  }
  return guide
}

interface Tables {
  readonly limits: readonly bigint[]
  readonly tops: Uint32Array
  readonly guide: Uint32Array
  readonly last: number
}

function drawInto(out: Int32Array, random: RandomBytes, tables: Tables): void {
  const { tops, guide } = tables
  const source = uniformSource(random, Math.min(1 << 16, 4 * out.length + 4 * Math.ceil(out.length / 32)) || 4)
  let signs = 0
  for (let i = 0; i < out.length; i++) {
    if (i % 32 === 0) signs = source.u32()
    const top = source.u32()
    let magnitude = guide[top >>> (32 - GUIDE_BITS)] as number
    while ((tops[magnitude] as number) < top) magnitude++
    // Equal upper bits decide nothing: the rest of the draw is needed.
    if (tops[magnitude] === top) magnitude = decide(top, magnitude, source.u32, tables)
    out[i] = (signs & (1 << (i % 32))) === 0 ? magnitude : -magnitude
  }
  source.wipe()
}

/** The smallest magnitude whose limit is above the whole draw. */
function decide(top: number, from: number, u32: () => number, { limits, last }: Tables): number {
  let drawn = BigInt(top)
  for (let word = 0; word < 3; word++) drawn = (drawn << 32n) | BigInt(u32())
  let magnitude = from
  while (magnitude < last && drawn >= (limits[magnitude] as bigint)) magnitude++
  return magnitude
}
