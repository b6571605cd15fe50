/**
 * Weights of symmetric noise on integers, in 256-bit fixed point, so that they are the same on every machine: of the discrete
 * Gaussian (Canonne, Kamath and Steinke 2020, Definition 1) and of the Skellam distribution (Agarwal, Kairouz and Liu 2021,
 * section 3), which is the difference of two Poisson draws of variance / 2 each.
 */

import { fail } from '../../base/errors.ts'
import { floorRoot, type Rational } from './exact.ts'

export interface Weights {
  /** Of the magnitudes 0, 1, 2, ...: that of 0 once, of others for both signs. Each is off by less than length^2 * 2^-254 of the largest. */
  readonly weights: bigint[]
  /** Bounds the weight of all that is left out. */
  readonly tail: bigint
}

const WORK_BITS = 256n
const ONE = 1n << WORK_BITS
/** Weights below 2^-140 of the largest end the table. */
const WEIGHT_MIN = 1n << (WORK_BITS - 140n)

/** e^-x in 256-bit fixed point, for x = numerator / denominator: a Taylor series of x / 2^s, squared s times. */
export function fixedExp({ numerator, denominator }: Rational): bigint {
  const guard = 64n
  const halvings = BigInt(Math.max(0, (numerator / denominator).toString(2).length))
  const one = 1n << (WORK_BITS + guard)
  let term = one
  let sum = one
  for (let k = 1n; term !== 0n; k++) {
    term = (term * numerator) / (denominator * k * (1n << halvings))
    sum += k % 2n === 1n ? -term : term
  }
  for (let i = 0n; i < halvings; i++) sum = (sum * sum) >> (WORK_BITS + guard)
  return sum >> guard
}

/** w(k + 1) / w(k) = e^-((2k + 1) / (2 variance)), and that ratio shrinks by e^-(1 / variance) each time. */
export function gaussianWeights({ numerator, denominator }: Rational): Weights {
  let ratio = fixedExp({ numerator: denominator, denominator: 2n * numerator })
  const shrink = fixedExp({ numerator: denominator, denominator: numerator })
  let weight = ONE
  const weights = [weight]
  for (;;) {
    weight = (weight * ratio) >> WORK_BITS
    ratio = (ratio * shrink) >> WORK_BITS
    if (weight < WEIGHT_MIN) return { weights, tail: geometricTail(weight, ratio) }
    weights.push(2n * weight)
  }
}

/** 2 weight (1 + ratio + ratio^2 + ...): later ratios are smaller still. */
function geometricTail(weight: bigint, ratio: bigint): bigint {
  return ((2n * (weight + 1n)) << WORK_BITS) / (ONE - ratio)
}

/** Magnitudes from which ratios are computed downwards, in deviations: the first is a guess, and is forgotten long before the table ends. */
const SKELLAM_DEVIATIONS = 28n
const SKELLAM_LEAST = 64n

/**
 * P(k) = e^-v I_k(v) for the variance v, so w(k) / w(k - 1) = I_k(v) / I_(k - 1)(v). From the recurrence of the Bessel functions
 * (DLMF 10.29.1) that ratio is 1 / (2k / v + the next ratio): backwards each step shrinks an error, and a guess is right.
 */
export function skellamWeights(variance: Rational): Weights {
  const ratios = besselRatios(variance)
  let weight = ONE
  const weights = [weight]
  for (const [i, ratio] of ratios.entries()) {
    weight = (weight * ratio) >> WORK_BITS
    // Ratios fall from k to k + 1, so this one bounds those to come.
    if (weight < WEIGHT_MIN) return { weights, tail: geometricTail(weight, ratios[i + 1] ?? ratio) }
    weights.push(2n * weight)
  }
  fail('internal', 'the table of the noise does not end where it should')
}

/** I_k(v) / I_(k - 1)(v) for k = 1, 2, ..., of which the first half is right to the last bits. */
function besselRatios({ numerator, denominator }: Rational): bigint[] {
  const count = SKELLAM_DEVIATIONS * (floorRoot(numerator / denominator) + 1n) + SKELLAM_LEAST
  const ratios: bigint[] = []
  let next = 0n
  for (let k = count; k > 0n; k--) {
    next = (ONE * ONE) / ((2n * k * denominator * ONE) / numerator + next)
    ratios.push(next)
  }
  return ratios.toReversed().slice(0, Number(count / 2n))
}
